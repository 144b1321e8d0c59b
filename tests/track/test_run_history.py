"""A run's report, and a gate's Markdown, beside the runs before them."""

import re

import pytest
from dnnbench.api.gate import Gated
from dnnbench.api.load import load
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.execution.gate import screened
from dnnbench.execution.gate_cells import Gate
from dnnbench.execution.measured import measured
from dnnbench.report.evidence import gather
from dnnbench.report.markdown import section_markdown
from dnnbench.store.schema import CELL
from dnnbench.store.store import open_store
from dnnbench.track.run_history import FEWEST_RUNS, MOST_CELLS, gate_trend, with_history
from helpers import outcomes
from helpers.nights import add_nights
from helpers.reporting import SECONDS
from sqlalchemy import update

pytestmark = pytest.mark.slow

NEWEST = range(1, 21)
"""Of the 21 nights those that a report reads."""
MOST_BYTES = 2e6


@pytest.fixture(scope="module")
def page(nightly, tmp_path_factory):
    """Of the newest night, as `report` writes it."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    assert main(["report", str(nightly), "-o", str(file)]) == exitcodes.OK
    return file.read_text()


@pytest.fixture
def four(tmp_path):
    """A store of four nights."""
    with open_store(tmp_path / "s.sqlite") as store:
        add_nights(store, [1.0] * 4)
        yield store


def section_of(store, run_id="night003"):
    return with_history(gather(store, run_id), store).history


def shown(page):
    """The section of the page, without the others."""
    (section,) = re.findall(r'<section id="1-history">.*?</section>', page, re.S)
    return section


def test_a_page_has_every_point_of_each_cell_with_its_interval(page):
    rows = re.findall(r">(night\d+).*?\[\d+\.\d+, \d+\.\d+\]", shown(page))
    assert sorted(rows) == sorted(2 * [f"night{night:03d}" for night in NEWEST])


def test_a_page_draws_each_cell(page):
    assert shown(page).count("<figure") == 2
    assert shown(page).count("<svg") == 2


def test_a_page_proposes_the_step(page):
    sentence = "torch:eager changed to 1.20 times as long"
    assert sentence in shown(page)
    assert "after selection, between run night016 and run night017" in shown(page)


def test_a_page_with_a_history_is_small(page):
    assert len(page.encode()) < MOST_BYTES


def test_markdown_has_the_trend_as_a_line(nightly, tmp_path):
    file = tmp_path / "page.md"
    words = ["report", str(nightly), "--format", "markdown", "-o", str(file)]
    assert main(words) == exitcodes.OK
    (section,) = re.findall(r"^## History$.*?(?=^## )", file.read_text(), re.S | re.M)
    (row,) = [line for line in section.splitlines() if "torch:eager" in line and "▁" in line]
    assert re.search(r"\| [▁▂]{16}[▇█]{4} \| 20 \|", row)
    assert "night005" not in section, "points are left to the page"


def test_a_page_from_python_has_it_too(four, tmp_path):
    page = load(four.place)["latest"].report(tmp_path / "page.html").read_text()
    assert "night002" in shown(page)


def nights_in(section):
    """Of every point."""
    return {row[0].text for table in section.tables if table.of_chart for row in table.rows}


def test_runs_after_it_and_of_other_machines_are_not_in_it(four):
    add_nights(four, [1.0], first=4, machine="m2")
    add_nights(four, [1.0] * 2, first=5)
    before = {"night000", "night001", "night002", "night003", "night005"}
    assert nights_in(section_of(four, "night005")) == before


def test_cells_that_the_run_does_not_have_are_not_in_it(four):
    add_nights(four, [1.0], first=4, arms={"jax:jit": 0.5})
    text = section_markdown(section_of(four, "night004"))
    assert "jax:jit" in text
    assert "torch:eager" not in text


def test_of_many_cells_some_are_shown_training_and_inference_first(tmp_path):
    with open_store(tmp_path / "s.sqlite") as store:
        add_nights(store, [1.0] * FEWEST_RUNS, seconds=SECONDS)
        section = section_of(store, "night002")
    short, *points = section.tables
    phases = [row[0].text.split()[1] for row in short.rows]
    assert (len(phases), len(points), len(section.charts)) == (MOST_CELLS,) * 3
    assert phases[:4] == ["infer", "infer", "train_step", "train_step"]
    assert section.sentences[-1] == "and 2 more cells, as dnnbench history has them"


@pytest.mark.parametrize(("runs", "there"), [(FEWEST_RUNS - 1, False), (FEWEST_RUNS, True)])
def test_it_takes_a_few_runs(tmp_path, runs, there):
    with open_store(tmp_path / "s.sqlite") as store:
        newest = add_nights(store, [1.0] * runs)[-1]
        assert (section_of(store, newest) is not None) is there


def test_without_ruptures_it_has_points_and_no_steps(nightly, monkeypatch):
    monkeypatch.setattr("dnnbench.stats.change_points.find_spec", lambda name: None)
    with open_store(nightly, create=False) as store:
        section = section_of(store, "night020")
    text = section_markdown(section)
    assert len(nights_in(section)) == 20
    assert "changed to" not in text
    assert "pip install 'dnnbench\\[history\\]'" in text


def test_another_run_that_cannot_be_read_costs_no_report(four):
    with four.writing() as connection:
        odd = update(CELL).where(CELL.c.run_id == "night001").values(dtype="float7")
        connection.execute(odd)
    (doubt,) = section_of(four).doubts
    assert "is none that can be read" in doubt


SCREENED = {"arms": {"jax:jit": 0.5, "torch:compile": 0.6}}


def test_a_gate_s_markdown_ends_with_the_trend_of_its_cells(tmp_path):
    with open_store(tmp_path / "s.sqlite") as store:
        add_nights(store, [1.0] * 3, **SCREENED)
        gate = outcomes.gate(store)
    text = Gated(gate, str(tmp_path / "s.sqlite")).to_markdown()
    outcome, *folded = text.split("<details>")
    assert outcome.startswith("## SLOWER")
    assert folded[-1].startswith("<summary>Trend: ")
    rows = [line for line in folded[-1].splitlines() if line.startswith("| mlp")]
    assert {row.split(" | ")[0] for row in rows} == {"| mlp\\_digits/64 infer"}
    assert len(rows) == 2


def test_a_gate_of_revisions_has_the_trend_of_the_arms_outside_of_their_environments(four):
    base, candidate = "torch:eager@git-1", "torch:eager@git-2"
    arms = {base: 1.0, candidate: 1.0}
    (run,) = add_nights(four, [1.0], first=4, arms=arms, base=base)
    gate = Gate(base, 0.02, run, screened(measured(four, run)))
    text = section_markdown(gate_trend(four, gate))
    assert "| torch:eager |" in text
    assert "git-" not in text


def test_a_gate_whose_store_is_gone_has_its_outcome_alone(tmp_path):
    with open_store(tmp_path / "s.sqlite") as store:
        gate = outcomes.gate(store)
    text = Gated(gate, str(tmp_path / "gone.sqlite")).to_markdown()
    assert text.startswith("## SLOWER")
    assert "Trend: " not in text
    assert not (tmp_path / "gone.sqlite").exists()


def test_the_markdown_of_a_run_in_python_has_its_history(nightly):
    assert "## History" in load(nightly)["night020"].to_markdown()


def test_a_gate_without_earlier_runs_has_no_trend(tmp_path):
    with open_store(tmp_path / "s.sqlite") as store:
        assert gate_trend(store, outcomes.gate(store)) is None
