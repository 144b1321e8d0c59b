"""`run --figures`, from real workers to the store and the report; a gate's figures have their own
tests.
"""

import json

import pytest
from dnnbench.cli.main import main
from dnnbench.execution.looking import ALL_FIGURES
from dnnbench.report.evidence import gather
from dnnbench.store.store import open_store
from helpers.reporting import section_of
from helpers.running import FAST, TINY, dnnbench

pytestmark = pytest.mark.slow  # runs
ARMS = "numpy,saboteur:uncounted,saboteur:lost"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which three arms ran: counting one fails, and ends the worker of another."""
    folder = tmp_path_factory.mktemp("counted")
    (folder / "tiny.toml").write_text(TINY)
    words = ("run", "tiny.toml", "--backend", ARMS, "--no-check", "--figures", "--phase", "infer")
    done = dnnbench(folder, *words, *FAST, "--json")
    assert done.returncode == 0, done.stderr
    (folder / "run.json").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def evidence(place):
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        return gather(store, store.find_run("latest"))


@pytest.fixture(scope="module")
def by_arm(evidence):
    """Rows of figures by arm and name."""
    arms = {cell.cell_id: cell.arm for cell in evidence.measured.cells}
    rows = {}
    for row in evidence.measured.figures:
        rows.setdefault(arms[row.cell_id], {})[row.figure] = row
    return rows


def test_each_call_is_counted(by_arm):
    figures = by_arm["numpy:eager"]
    assert figures["operators"].value == 3
    assert {"page_faults", "peak_bytes", "peak_rss_bytes"} <= set(figures)


@pytest.mark.parametrize(
    ("arm", "words"), [("saboteur:uncounted", "counting always fails"), ("saboteur:lost", "signal")]
)
def test_what_fails_says_why_and_costs_no_time(by_arm, evidence, arm, words):
    assert words in by_arm[arm][ALL_FIGURES].reason
    [cell] = [cell for cell in evidence.measured.cells if cell.arm == arm]
    assert cell.status == "ok"
    assert cell.cell_id in evidence.measured.visits


def test_the_report_has_a_table_of_figures(evidence):
    rows = section_of(evidence, "figures").tables[0].rows
    shown = [[cell.text for cell in row] for row in rows]
    assert ["tiny/4", "infer", "numpy:eager", "operators", "3", "1 process"] in shown


def test_the_document_has_every_figure(place):
    document = json.loads((place / "run.json").read_text())
    assert "operators" in {row["figure"] for row in document["figures"]}


def test_a_run_that_was_not_asked_counts_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(TINY)
    words = ["run", "tiny.toml", "--backend", "numpy", "--no-check", "--phase", "infer", *FAST]
    assert main(words) == 0
    with open_store(tmp_path / "results/dnnbench.sqlite", create=False) as store:
        assert store.figures().empty
