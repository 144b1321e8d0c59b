"""dnnbench runs: what is recorded is listed, shown again, named, deleted, written as Markdown."""

import json
import re
from pathlib import Path

import pytest
from dnnbench.cli.main import main
from dnnbench.cli.run import GROUPS, command
from dnnbench.report import parts
from dnnbench.store.deleting import OF_A_RUN
from dnnbench.store.schema import METADATA, SAMPLE_BLOCK
from dnnbench.store.store import open_store
from helpers import reporting, storing
from sqlalchemy import func, select

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder whose store holds two runs."""
    folder = tmp_path_factory.mktemp("runs")
    with open_store(folder / "results" / "dnnbench.sqlite") as store:
        reporting.add_run(store, "r1", generations=2, workloads=("w",), label="before")
        reporting.add_run(store, "r2", generations=2, workloads=("w",))
    return folder


@pytest.fixture
def said(recorded, monkeypatch, capsys):
    """What a command line prints there."""
    monkeypatch.chdir(recorded)

    def say(*arguments):
        assert main(arguments) == 0
        return capsys.readouterr().out

    return say


def test_runs_are_listed_with_what_tells_them_apart(said):
    rows = [line.split() for line in said("runs", "list").splitlines()[1:]]
    assert [row[0] for row in rows] == ["r1", "r2"]
    assert rows[0][1] == "before"


def test_runs_are_listed_for_a_script(said):
    rows = json.loads(said("runs", "list", "--json"))["runs"]
    assert [(row["run"], row["label"], row["workloads"]) for row in rows] == [
        ("r1", "before", ["mlp_digits", "cnn_digits"]),
        ("r2", None, ["mlp_digits", "cnn_digits"]),
    ]


def test_a_run_is_shown_again_by_its_label(said):
    assert "is fastest on w" in said("runs", "show", "before")


@pytest.mark.parametrize(("options", "whole"), [((), False), (("--details",), True)])
def test_details_are_shown_on_request(said, options, whole):
    assert ("Every cell" in said("runs", "show", *options)) is whole


def test_a_run_is_shown_for_a_script(said):
    [place, *_] = json.loads(said("runs", "show", "r1", "--json"))["first_places"]
    assert place["first"] == ["jax:jit"]


def test_no_colour_is_printed_where_none_is_wanted(said, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert re.search(r"\x1b\[[\d;]*3\d", said("runs", "show"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[\d;]*3\dm", said("runs", "show"))


def test_a_report_is_written_as_markdown(said, recorded):
    assert said("report", "--format", "markdown") == "results/report.md\n"
    text = Path("results/report.md").read_text()
    assert text.startswith("## The answer\n\n- Training: jax:jit is fastest on w")


def test_a_page_builds_the_sections_of_a_run_once(said, monkeypatch):
    built = []
    sections_of = parts.sections_of
    monkeypatch.setattr(parts, "sections_of", lambda run: built.append(run) or sections_of(run))
    said("report", "--static")
    assert len(built) == 1


def test_markdown_of_several_runs_names_each(said, recorded):
    said("report", "--format", "markdown", "results/dnnbench.sqlite", "results/dnnbench.sqlite")
    text = Path("results/report.md").read_text()
    assert text.count("# Run on machine m1") == 2


def test_every_option_of_a_run_is_in_one_of_three_groups():
    grouped = [name for names in GROUPS.values() for name in names]
    names = [max(parameter.opts, key=len) for parameter in command.params]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {name for name in names if name[:2] == "--"} | {"--help"}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A store of two runs that may be changed, in the working directory."""
    monkeypatch.chdir(tmp_path)
    with open_store(Path("results") / "dnnbench.sqlite") as store:
        for run in ("r1", "r2"):
            first, *_ = reporting.add_run(store, run, generations=1, workloads=("w",))
            reporting.add_facts(store, run)
            store.add_findings(run, [storing.finding_row(first)])
            store.add_generation(run, 1, {}, {}, figures=[storing.figure_row(first)])
        yield store


def test_a_run_gets_a_name(own):
    assert main(["runs", "label", "r1", "before"]) == 0
    assert own.find_run("before") == "r1"


@pytest.mark.parametrize("table", [*OF_A_RUN, SAMPLE_BLOCK], ids=str)
def test_nothing_is_left_of_a_run_that_was_deleted(own, table):
    """And everything of the other one."""
    counts = rows_of(own, table)
    assert main(["runs", "delete", "r1", "--yes"]) == 0
    assert rows_of(own, table) == counts / 2 > 0


def test_every_table_that_names_a_run_is_emptied_of_it():
    naming = {table for table in METADATA.tables.values() if "run_id" in table.c}
    assert naming == set(OF_A_RUN)


def rows_of(store, table):
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_nothing_is_deleted_where_nobody_can_be_asked(own, capsys):
    assert main(["runs", "delete", "r1"]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert list(own.runs().run_id) == ["r1", "r2"]
