"""Arguments that cannot be meant are refused in words, with exit code 2.

Lists that are given again add up.
"""

import json

import pytest
import rich_click as click
from dnnbench.cli.main import COMMANDS, cli, main
from dnnbench.cli.options import Command, Group
from dnnbench.store.store import open_store
from helpers import storing

PLAN = ["run", "mlp_digits", "--backend", "numpy", "--dry-run"]
LONG = "x" * 300
REFUSED = {
    "a long name": (["show", LONG], "no workload is called"),
    "a long file": (["show", f"{LONG}.toml"], "cannot be read: File name too long"),
    "a long environment": (
        ["run", "--dry-run", "--backend", f"numpy@{LONG}"],
        "nor the path of one",
    ),
    "long data": ([*PLAN, "--data", LONG], "got nothing there"),
    "a file of no user": (
        ["show", "~nosuchuser/a.toml"],
        "~nosuchuser/a.toml: cannot be read: No such file",
    ),
    "a workload of no user": (["show", "~nosuchuser"], "no workload is called '~nosuchuser'"),
    "data of no user": ([*PLAN, "--data", "~nosuchuser/x.npz"], "got nothing there"),
    "a store of no user": (
        ["export", "latest", "--store", "~nosuchuser/s"],
        "store ~nosuchuser/s: no such file",
    ),
    "an environment of no user": (
        ["run", "--dry-run", "--backend", "numpy@~nosuchuser"],
        "nor the path of one",
    ),
    "5,000 digits of a batch": ([*PLAN, "-b", "9" * 5000], "expected whole numbers from 1"),
    "5,000 digits of generations": (
        [*PLAN, "--generations", "9" * 5000],
        "expected a number from 1 to 100",
    ),
    "5,000 digits of a device": ([*PLAN, "--device", f"gpu:{'9' * 5000}"], "is not known"),
    "a seed beyond the store's": ([*PLAN, "--seed", str(2**63)], "is not in the range"),
    "400 nines of seconds": ([*PLAN, "--max-time", "9" * 400], "720h at most"),
    "20,000 digits and a letter": ([*PLAN, "--max-time", f"{'1' * 20_000}x"], "expected a time"),
    "20,000 digits of a share": ([*PLAN, "--precision", f"{'1' * 20_000}x"], "expected a share"),
    "20,000 spaces": ([*PLAN, "--max-time", f"1{' ' * 20_000}x"], "expected a time"),
    "an environment left out": (
        ["run", "--dry-run", "--backend", "numpy@"],
        "no environment follows the '@'",
    ),
    "a mode left out": (["run", "--dry-run", "--backend", "numpy:"], "no mode follows the ':'"),
    "a mode of all left out": (
        ["run", "--dry-run", "--backend", "all:"],
        "no mode follows the ':'",
    ),
    "the label that means the newest": (
        [*PLAN, "--label", "latest"],
        "'latest' has a meaning of its own",
    ),
    "an empty label": ([*PLAN, "--label", " "], "printable characters"),
    "a label that nobody can write": ([*PLAN, "--label", "\udcff"], "printable characters"),
    "one value twice": (
        [*PLAN, "--seed", "1", "--seed", "2"],
        "--seed is given 2 times; it takes one value",
    ),
    "one value three times": (
        [*PLAN, "--base=a", "--base=b", "--base=c"],
        "--base is given 3 times",
    ),
    "an unset variable": ([*PLAN, "--data", ""], "--data is given an empty value"),
    "a dry run of what would go on": (
        ["run", "--resume", "latest", "--dry-run"],
        "takes no dry_run",
    ),
    "a workload beside the run that goes on": (
        ["run", "mlp_digits", "--resume", "latest"],
        "and takes no WORKLOADS",
    ),
    "an unset variable in a list": (
        ["run", "--dry-run", "--backend", ""],
        "--backend is given an empty value",
    ),
}


@pytest.mark.parametrize("arguments, message", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused_in_words(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    code = main(arguments)
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    "text, seconds", [("90", 90), (" 1.5m ", 90), (".5 h", 1800), ("720h", 2_592_000)]
)
def test_a_time_is_read(capsys, text, seconds):
    assert main([*PLAN, "--max-time", text, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["max_time_s"] == seconds


def test_lists_add_up(capsys):
    assert (
        main([*PLAN, "-b", "1,2", "-b", "2,4", "--phase", "infer", "--phase", "loss", "--json"])
        == 0
    )
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert [(cell["batch_size"], cell["phase"]) for cell in cells] == [
        (size, phase) for size in (1, 2, 4) for phase in ("infer", "loss")
    ]


def test_a_run_is_not_named_by_nothing(tmp_path, capsys):
    with open_store(tmp_path / "s.sqlite") as store:
        storing.add_everything(store, "20260101-000000-aaaa")
    assert main(["export", "", "--store", str(tmp_path / "s.sqlite")]) == 2
    assert "an empty name of a run" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_looks_at_its_arguments_so(name):
    _, command, _ = cli.resolve_command(click.Context(cli), [name])
    assert isinstance(command, Command | Group)
    assert all(isinstance(part, Command) for part in getattr(command, "commands", {}).values())
