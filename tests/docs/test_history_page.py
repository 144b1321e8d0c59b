"""docs/history.md: its commands and its Python are run on a store of nightly runs."""

import re
import shlex
from pathlib import Path

import dnnbench
import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.store.store import open_store
from helpers import running
from helpers.nights import add_nights
from helpers.old_files import asv_results, autosaved

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text()
COMMANDS = re.findall(r"^    dnnbench (history .*)$", PAGE, re.M)
OF_OLD = [command for command in COMMANDS if "old.sqlite" in command]
SHOWING = [each for each in COMMANDS if "--confirm" not in each and each not in OF_OLD]
IMPORTS = re.findall(r"^    dnnbench (import .*?) *#.*$", PAGE, re.M)
(NIGHT,) = re.findall(r"^    dnnbench (run .*)$", PAGE, re.M)
(REPORT,) = re.findall(r"^    dnnbench (report .*)$", PAGE, re.M)
LINES = re.findall(r"^    (trends.*?)(?: +#.*)?$", PAGE, re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One with the page's store: 21 nights, a change point at the 18th."""
    folder = tmp_path_factory.mktemp("nightly")
    with open_store(folder / "nightly.sqlite") as store:
        add_nights(store, [1.0] * 17 + [1.2] * 4)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("command", SHOWING)
def test_a_command_of_the_page_shows_the_history(folder, monkeypatch, capsys, command):
    monkeypatch.chdir(folder)
    assert main(shlex.split(command)) in (exitcodes.OK, exitcodes.REGRESSION)
    out, err = capsys.readouterr()
    assert "mlp_digits" in out
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.xdist_group("run")
def test_a_night_is_a_run_that_the_history_shows(tmp_path):
    cheap = NIGHT.replace(" cnn_digits", "").replace("torch,jax", "numpy")
    fast = (*running.FAST, "--phase", "infer", "--no-check")
    done = running.dnnbench(tmp_path, *shlex.split(cheap), *fast)
    assert done.returncode == exitcodes.OK, done.stderr
    shown = running.dnnbench(tmp_path, *shlex.split(SHOWING[0]))
    assert "1 cell over 1 run of " in shown.stdout


def test_an_old_history_is_imported_and_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    autosaved(tmp_path / ".benchmarks/Linux-CPython-3.11-64bit", [1.0, 1.0])
    asv_results(tmp_path / ".asv/results", [1.0, 1.0])
    for command in (*IMPORTS, *OF_OLD):
        assert main(shlex.split(command)) == exitcodes.OK
    out = capsys.readouterr().out
    assert "2 runs with 4 benchmarks added" in out
    assert "2 runs with 2 benchmarks added" in out
    shown = re.findall(r"2 runs of .*, 2025-03-01 to 2025-03-02, imported from", out)
    assert len(shown) == len(OF_OLD)
    assert (tmp_path / "public/index.html").exists()


def test_the_report_of_the_page_has_the_history(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main([*shlex.split(REPORT), "--format", "markdown"]) == exitcodes.OK
    assert "## History" in (folder / "nightly.html").read_text()


def test_the_python_of_the_page_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {"dnnbench": dnnbench}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in LINES:
            exec(line.replace('since="60d"', 'since="2026-09-01"'), names)
    assert len(names["trends"].change_points) == 2
    assert len(names["trends"].points) == 42
    assert (folder / "public" / "index.html").exists()


def test_the_page_has_commands():
    assert len(SHOWING) >= 4
    assert len(OF_OLD) == 2
    assert len(IMPORTS) == 2
    assert len(LINES) == 4


def test_the_exit_codes_of_the_page_are_those_of_the_command():
    codes = [int(code) for code in re.findall(r"^\| (\d) \|", PAGE, re.M)]
    assert sorted(codes) == [
        exitcodes.OK,
        exitcodes.FAILED,
        exitcodes.USAGE,
        exitcodes.REGRESSION,
        exitcodes.NOTHING_MEASURED,
    ]
