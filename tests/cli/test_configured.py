"""Commands under a project's settings: file, then variables, then options; config and init."""

import json

import pytest
import rich_click as click
from dnnbench.cli import exitcodes
from dnnbench.cli.configured import configure
from dnnbench.cli.keeping import keeping
from dnnbench.cli.main import cli, command_of, main
from dnnbench.configuration.starting import SCHEMA, WORKFLOWS
from dnnbench.execution.request import add_this_machine
from dnnbench.store.store import open_store
from helpers.workflows import ROOT

SETTINGS = """
store = "kept/runs.sqlite"
[gate]
fail-on = "5%"
[suites.small]
workloads = ["mlp_digits"]
backend = "numpy"
threads = 1
batch-size = [1, 8]
phase = "infer"
[environments.old]
requirements = ["no-such-distribution-of-ours==1"]
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "dnnbench.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(capsys, *arguments):
    assert main(["config", "--json", *arguments]) == exitcodes.OK
    rows = json.loads(capsys.readouterr().out)["settings"]
    return {row["key"]: (row["value"], row["origin"]) for row in rows}


def test_config_says_where_each_value_came_from(project, capsys, monkeypatch):
    monkeypatch.setenv("DNNBENCH_MACHINE", "lab-3")
    shown = values(capsys)
    assert shown["store"] == ("kept/runs.sqlite", str(project / "dnnbench.toml"))
    assert shown["machine"] == ("lab-3", "environment variable DNNBENCH_MACHINE")
    assert shown["gate.max-time"] == ("60s", "default")
    assert shown["suites.small.batch-size"] == ("1,8", str(project / "dnnbench.toml"))


def test_a_table_shows_the_same(project, capsys):
    assert main(["config"]) == exitcodes.OK
    shown = capsys.readouterr().out
    assert "kept/runs.sqlite" in shown
    assert "dnnbench.toml" in shown


def dry_run(capsys, *arguments):
    assert main(["run", "--dry-run", "--json", *arguments]) == exitcodes.OK
    return json.loads(capsys.readouterr().out)


def test_a_suite_gives_workloads_and_options(project, capsys):
    planned = json.dumps(dry_run(capsys, "--suite", "small"))
    assert "mlp_digits/1" in planned or '"batch_size": 1' in planned
    assert "cnn_digits" not in planned
    assert "train_step" not in planned


def test_the_command_line_prevails_over_a_suite(project, capsys):
    planned = json.dumps(dry_run(capsys, "--suite", "small", "cnn_digits", "--phase", "train_step"))
    assert "cnn_digits" in planned
    assert "mlp_digits" not in planned
    assert "infer" not in planned


def test_a_suite_that_is_not_there_is_refused(project, capsys):
    assert main(["check", "--suite", "smal"]) == exitcodes.USAGE
    assert "did you mean 'small'?" in capsys.readouterr().err


def test_the_store_of_the_file_is_looked_for(project, capsys):
    assert main(["runs", "list"]) == exitcodes.USAGE
    assert "kept/runs.sqlite" in capsys.readouterr().err


def test_a_variable_prevails_over_the_file(project, capsys, monkeypatch):
    monkeypatch.setenv("DNNBENCH_STORE", "other.sqlite")
    assert main(["runs", "list"]) == exitcodes.USAGE
    assert "other.sqlite" in capsys.readouterr().err


def test_an_option_prevails_over_both(project, capsys, monkeypatch):
    monkeypatch.setenv("DNNBENCH_STORE", "other.sqlite")
    assert main(["runs", "list", "--store", "third.sqlite"]) == exitcodes.USAGE
    assert "third.sqlite" in capsys.readouterr().err


def test_a_broken_file_is_told_and_help_is_still_given(project, capsys):
    (project / "dnnbench.toml").write_text("[gate]\nfail-on = 7")
    assert main(["gate"]) == exitcodes.USAGE
    assert "gate.fail-on: got '7', expected a share" in capsys.readouterr().err
    assert main(["gate", "--help"]) == exitcodes.OK
    assert main(["list", "backends"]) == exitcodes.OK


def test_a_run_names_its_machine_as_the_settings_do(project, monkeypatch):
    monkeypatch.setenv("DNNBENCH_MACHINE", "lab-3")
    with click.Context(cli) as ctx:
        configure(ctx, "run", command_of("run"), [])
        origin = keeping("runs.sqlite", None).origin
    with open_store("runs.sqlite") as store:
        add_this_machine(store, origin.machine)
        assert list(store.machines()["machine_label"]) == ["lab-3"]


@pytest.mark.slow
def test_an_environment_of_the_file_is_made(project, capsys):
    """pip is asked for what the file names: a distribution that nobody has."""
    assert main(["envs", "create", "old"]) != exitcodes.OK
    said = capsys.readouterr().err
    assert "installing no-such-distribution-of-ours==1" in said


def test_an_environment_without_requirements_is_refused(project, capsys):
    assert main(["envs", "create", "odl"]) == exitcodes.USAGE
    assert "did you mean 'old'?" in capsys.readouterr().err


@pytest.mark.parametrize("ci", WORKFLOWS)
def test_init_writes_a_file_that_commands_read(tmp_path, monkeypatch, capsys, ci):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--workloads", "mlp_digits", "--backend", "numpy", "--ci", ci]) == 0
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    files = ["dnnbench.toml", SCHEMA, *WORKFLOWS[ci]]
    assert written == set(files)
    assert capsys.readouterr().out.split() == files
    assert values(capsys)["gate.inconclusive"][0] == "neutral"


def test_init_overwrites_nothing(project, capsys):
    before = (project / "dnnbench.toml").read_text()
    assert (
        main(["init", "--workloads", "x", "--backend", "numpy", "--ci", "none"]) == exitcodes.USAGE
    )
    assert "has settings already" in capsys.readouterr().err
    assert (project / "dnnbench.toml").read_text() == before


def test_init_asks_nobody_where_there_is_no_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--workloads", "x"]) == exitcodes.USAGE
    assert "add --ci" in capsys.readouterr().err


def test_the_workflow_takes_the_actions_that_ours_take():
    pins = {
        line.split("uses: ")[1]
        for path in (ROOT / ".github/workflows").glob("*.yml")
        for line in path.read_text().splitlines()
        if "uses: " in line
    }
    for template in WORKFLOWS["github"].values():
        used = {
            line.split("uses: ")[1]
            for line in template.substitute().splitlines()
            if "uses: " in line
        }
        assert used <= pins
