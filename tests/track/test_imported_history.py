"""The history of runs that pytest-benchmark and asv recorded: in seconds, and never mixed."""

import json
import os
import re
import subprocess
import sys

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.errors import UsageError
from dnnbench.store.schema import RUN
from dnnbench.store.store import open_store
from dnnbench.track.history import history
from dnnbench.track.series import Unit
from helpers.nights import add_nights
from helpers.old_files import asv_results, autosaved, revision_of
from helpers.pytest_sessions import run_pytest
from sqlalchemy import update

pytestmark = pytest.mark.slow

NIGHTS = 14
SLOWER_FROM = 10
LEVELS = [1.0] * SLOWER_FROM + [1.3] * (NIGHTS - SLOWER_FROM)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


def brought_in(*files):
    assert main(["import", *files]) == exitcodes.OK


def read(**options):
    with open_store("results/dnnbench.sqlite", create=False) as store:
        return history(store, **options)


def series_of(shown):
    return {trend.series.key.case.workload: trend.series for trend in shown.trends}


def test_a_file_is_a_point_in_seconds_with_its_revision_in_the_order_of_dates(here):
    autosaved(here / "later", [1.0], first=2)
    autosaved(here / "kept", [1.0, 1.5])
    brought_in("later", "kept")
    shown = read()
    points = series_of(shown)["test_a.py::test_slow"].points
    assert shown.unit is Unit.SECONDS
    assert [point.run.revision for point in points] == [revision_of(n) for n in range(3)]
    assert [point.estimate.value for point in points] == pytest.approx(
        [2e-5, 3.009e-5, 1.996e-5], rel=1e-6
    )
    assert not any(point.objection for point in points)


def test_it_is_said_that_seconds_have_no_control(here, capsys):
    autosaved(here / "kept", [1.0, 1.0])
    brought_in("kept")
    capsys.readouterr()
    assert main(["history"]) == exitcodes.OK
    out, err = capsys.readouterr()
    assert "2 cells over 2 runs of machine" in out
    assert "imported from pytest-benchmark 5.3.1" in out
    assert "seconds a call" in out
    assert re.search(r"test_slow/1 infer pytest-benchmark:call \S+ +2 20.06 µs", out)
    assert "absolute seconds of one process a run, without a control" in err


def test_a_slowdown_is_a_change_point_between_its_commits(here, capsys):
    autosaved(here / "kept", LEVELS)
    brought_in("kept")
    capsys.readouterr()
    assert main(["history", "--json"]) == exitcodes.REGRESSION
    document = json.loads(capsys.readouterr().out)
    (change,) = document["change_points"]
    assert (document["unit"], document["imported"]) == ("seconds", ["pytest-benchmark 5.3.1"])
    assert change["workload"] == "test_a.py::test_slow"
    assert change["ratio"] == pytest.approx(1.3, rel=0.01)
    assert change["before_revision"] == revision_of(SLOWER_FROM - 1)
    assert change["after_revision"] == revision_of(SLOWER_FROM)


def test_another_tool_cannot_be_asked_to_confirm(here, capsys):
    autosaved(here / "kept", LEVELS)
    brought_in("kept")
    assert main(["history", "--confirm"]) == exitcodes.USAGE
    assert "measure both revisions of the change with that tool" in capsys.readouterr().err


def test_hosts_are_machines_of_their_own_and_said(here):
    autosaved(here / "kept", [1.0, 1.0])
    autosaved(here / "kept", [1.0], first=2, node="other")
    brought_in("kept")
    shown = read()
    (other,) = [note for note in shown.notes if "of other machines" in note]
    assert len(shown.runs) == 1
    assert other.startswith("2 run(s) of other machines are not shown: --machine ")
    assert len(read(machine=other.split()[-1]).runs) == 2


@pytest.mark.parametrize("newest", ["imported", "own"])
def test_own_runs_and_imported_ones_are_never_mixed(here, newest):
    """Though both were measured on one machine."""
    autosaved(here / "kept", [1.0, 1.0])
    brought_in("kept")
    with open_store("results/dnnbench.sqlite") as store:
        add_nights(store, [1.0], workloads=("test_a.py::test_slow",))
        if newest == "imported":
            with store.writing() as connection:
                created = {"created": "2024-01-01T00:00:00", "finished": "2024-01-01T01:00:00"}
                connection.execute(update(RUN).where(RUN.c.run_id == "night000").values(**created))
        with store.writing() as connection:
            connection.execute(update(RUN).values(machine_id="m1"))
    first, second = (
        (Unit.SECONDS, Unit.CONTROL) if newest == "imported" else (Unit.CONTROL, Unit.SECONDS)
    )
    runs = {Unit.SECONDS: 2, Unit.CONTROL: 1}
    shown = read()
    assert (shown.unit, len(shown.runs)) == (first, runs[first])
    assert any(f"--unit {second}" in note for note in shown.notes)
    other = read(unit=second)
    assert (other.unit, len(other.runs)) == (second, runs[second])


def test_a_unit_that_no_run_has_is_said(here, capsys):
    autosaved(here / "kept", [1.0])
    brought_in("kept")
    assert main(["history", "--unit", "control"]) == exitcodes.NOTHING_MEASURED
    assert "no cell that can be shown in units of the control" in capsys.readouterr().err


CHANGES = {
    "python": ({"python_version": "3.12.0"}, "python 3.11.7 -> 3.12.0"),
    "the kernel": ({"release": "6.8"}, "kernel Linux 6.1 -> Linux 6.8"),
    "the tool": ({"tool": "6.0"}, "tool pytest-benchmark 5.3.1 -> pytest-benchmark 6.0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_series_breaks_where_the_file_says_another_version(here, change):
    changes, words = CHANGES[change]
    autosaved(here / "kept", [1.0, 1.0])
    autosaved(here / "kept", [1.0], first=2, **changes)
    brought_in("kept")
    segments = series_of(read())["test_a.py::test_b"].segments
    assert [len(segment.points) for segment in segments] == [2, 1]
    assert segments[1].changes == (words,)


def test_the_dnnbench_that_brought_a_file_in_breaks_nothing(here):
    autosaved(here / "kept", [1.0, 1.0])
    brought_in("kept")
    with open_store("results/dnnbench.sqlite") as store, store.writing() as connection:
        newest = RUN.c.revision == revision_of(1)
        connection.execute(update(RUN).where(newest).values(dnnbench_version="99"))
    assert len(series_of(read())["test_a.py::test_b"].segments) == 1


def test_environments_of_asv_are_series_of_their_own(here):
    asv_results(here / "results_of_asv", [1.0, 1.0, 1.0])
    asv_results(here / "results_of_asv", [2.0, 2.0, 2.0], environment="conda-py3.12", python="3.12")
    brought_in("results_of_asv")
    shown = read()
    assert {trend.series.arm for trend in shown.trends} == {
        "asv:call@conda-py3.12", "asv:call@virtualenv-py3.11",
    }  # fmt: skip
    assert [len(trend.series.segments) for trend in shown.trends] == [1, 1]
    assert shown.machine.name == "lab"


def test_a_site_says_that_it_is_seconds(here):
    autosaved(here / "kept", LEVELS)
    brought_in("kept")
    assert main(["history", "--site", "public"]) == exitcodes.REGRESSION
    index, *pages = sorted((here / "public").iterdir())
    assert len(pages) == 2
    assert "without a control to divide by" in index.read_text()
    assert all("seconds a call" in page.read_text() for page in pages)


def test_a_report_of_an_imported_run_has_its_history(here):
    autosaved(here / "kept", [1.0] * 4)
    brought_in("kept")
    assert main(["report", "-o", "page.md", "--format", "markdown"]) == exitcodes.OK
    page = (here / "page.md").read_text()
    section = page[page.index("## History") :]
    assert "2 cells over 4 runs of machine" in section
    assert "in seconds a call" in section


def test_python_takes_the_unit_too(here):
    import dnnbench

    autosaved(here / "kept", [1.0])
    brought_in("kept")
    assert len(dnnbench.history(unit="seconds").points) == 2
    with pytest.raises(UsageError, match="unit: "):
        dnnbench.history(unit="minutes")


BENCHMARKS = """
def test_sum(benchmark):
    benchmark.pedantic(lambda: sum(range(1000)), rounds=5, iterations=3)
"""
SUITE = """
class Suite:
    params = [10, 20]
    repeat, number, rounds, warmup_time = 2, 3, 1, 0

    def time_sum(self, n):
        sum(range(n))
"""
ASV = {
    "version": 1,
    "project": "p",
    "repo": ".",
    "benchmark_dir": "benchmarks",
    "environment_type": "existing",
    "results_dir": "results_of_asv",
}


@pytest.mark.exhaustive
@pytest.mark.slow
def test_what_both_tools_themselves_kept_of_commits_is_a_history(here, capsys):
    """Six processes of other tools take several seconds."""
    (here / "test_speed.py").write_text(BENCHMARKS)
    (here / "benchmarks").mkdir()
    (here / "benchmarks/__init__.py").touch()
    (here / "benchmarks/suite.py").write_text(SUITE)
    (here / "asv.conf.json").write_text(json.dumps(ASV))
    asv = [sys.executable, "-m", "asv"]
    run(here, "git", "init", "-q")
    run(here, *asv, "machine", "--yes", "--machine", "lab", HOME=str(here))
    commits = []
    for number in range(2):
        run(here, "git", "add", "benchmarks", "test_speed.py")
        date = {"GIT_AUTHOR_DATE": f"2025-03-0{number + 1}T12:00:00Z"}
        who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
        run(here, "git", *who, "commit", "-q", "--allow-empty", "-m", str(number), **date)
        commits.append(run(here, "git", "rev-parse", "HEAD").strip())
        done = run_pytest(here, "-q", "--benchmark-autosave", "test_speed.py")
        assert done.returncode == 0, done.stdout
        at = ("--set-commit-hash", commits[-1], "--machine", "lab")
        run(here, *asv, "run", "-E", "existing:same", *at, HOME=str(here))
    capsys.readouterr()
    assert main(["import", ".benchmarks", "results_of_asv", "--json"]) == exitcodes.OK
    files = json.loads(capsys.readouterr().out)["runs"]
    assert [file["tool"] for file in files] == 2 * ["pytest-benchmark"] + 2 * ["asv"]
    shown = read()
    (sums,) = shown.trends
    assert [point.run.revision for point in sums.series.points] == commits
    of_asv = read(machine="lab")
    assert {trend.series.key.case.workload for trend in of_asv.trends} == {
        "suite.Suite.time_sum(10)", "suite.Suite.time_sum(20)",
    }  # fmt: skip
    for trend in of_asv.trends:
        assert [point.run.revision for point in trend.series.points] == commits
        assert [point.run.created[:10] for point in trend.series.points] == [
            "2025-03-01", "2025-03-02",
        ]  # fmt: skip


def run(folder, *line, **variables):
    done = subprocess.run(
        line, cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
