"""The findings of a gate lie with its runs, and every renderer shows them from there."""

import sqlite3

import pytest
from dnnbench.execution.gate import confirmed, screened
from dnnbench.execution.gate_cells import Answer, Gate
from dnnbench.execution.gate_findings import finding_rows, read_gate
from dnnbench.execution.gate_policy import GatePolicy, Inconclusive
from dnnbench.execution.measured import measured
from dnnbench.report.builders import GATE, in_brief, sections_of
from dnnbench.report.evidence import gather
from dnnbench.report.gate_document import document
from dnnbench.store.merge import merge
from dnnbench.store.store import open_store
from helpers import reporting, storing
from helpers.gates import THETA

pytestmark = pytest.mark.slow

ARMS = {"torch:eager": 1.0, "jax:jit": 1.0, "numpy:eager": 1.1}
POLICY = GatePolicy(0.2, Inconclusive.NEUTRAL)
SHAPE = {
    "generations": 6,
    "workloads": ("mlp_digits",),
    "seconds": {"infer": 1e-3, "train_step": 4e-3},
    "gate": POLICY.to_json(),
}


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "s.sqlite") as opened:
        yield opened


def screen(store):
    """A gate whose first run has ended."""
    reporting.add_run(store, "screen", arms=ARMS, **SHAPE)
    store.finish_run("screen", "complete")
    run = measured(store, "screen")
    gate = Gate("torch:eager", THETA, "screen", screened(run), chosen_policy=POLICY)
    store.add_findings("screen", finding_rows(gate, run))
    return gate


@pytest.fixture
def gate(store):
    """Both of its runs have ended, and a slowdown is confirmed."""
    first = screen(store)
    second = {"torch:eager": 1.0, "numpy:eager": 1.1}
    reporting.add_run(store, "confirm", arms=second, seed=1, confirms="screen", **SHAPE)
    store.finish_run("confirm", "complete")
    run = measured(store, "confirm")
    cells = confirmed(first.cells, run, THETA)
    whole = Gate("torch:eager", THETA, "screen", cells, "confirm", chosen_policy=POLICY)
    store.add_findings("confirm", finding_rows(whole, run))
    return whole


@pytest.mark.parametrize("run", ["screen", "confirm"])
def test_either_run_tells_the_whole_gate(store, gate, run):
    assert gate.answer is Answer.SLOWER
    assert document(read_gate(store, run)) == document(gate)


@pytest.mark.parametrize("run", ["screen", "confirm"])
def test_a_run_of_a_gate_is_shown_with_its_outcome(store, gate, run):
    (shown,) = in_brief(sections_of(gather(store, run)))
    assert shown.id == GATE
    assert shown.title.startswith("SLOWER: 2 of 4 cells")


def test_a_flagged_cell_that_no_run_confirmed_is_no_pass(store):
    screen(store)
    assert read_gate(store, "screen").answer is Answer.INTERRUPTED


def test_a_row_says_what_its_stage_found(store, gate):
    rows = store.findings().set_index(["stage", "flagged"])
    assert len(store.findings("screen")) == 4
    assert (rows.loc["confirm", "verdict"] == "CONFIRMED SLOWER").all()
    assert (rows.loc["confirm", "p"] <= rows.loc["confirm", "threshold"]).all()
    assert store.findings("screen")["p"].isna().all()


def test_a_failure_in_either_run_is_told(store, gate):
    cells = store.cells("confirm")
    cell = cells.cell_id[(cells.arm == "numpy:eager") & (cells.phase == "infer")].item()
    store.update_cells("confirm", [{"cell_id": cell, "status": "failed", "reason": "failed: gone"}])
    again = read_gate(store, "screen")
    assert again.answer is Answer.COULD_NOT_RUN
    assert list(again.failed.values()) == ["gone"]


def test_a_run_that_is_no_gates_has_none(store):
    reporting.add_run(store, "plain")
    assert read_gate(store, "plain") is None


def test_findings_go_with_their_run(store, gate):
    store.delete_run("confirm")
    assert set(store.findings()["run_id"]) == {"screen"}


def test_findings_are_merged(store, gate, tmp_path):
    with open_store(tmp_path / "other.sqlite") as other:
        merge(other, store)
        assert document(read_gate(other, "screen")) == document(gate)


@pytest.mark.parametrize(
    ("version", "statements"), [(7, storing.TO_VERSION_7), (8, storing.TO_VERSION_8)]
)
def test_a_store_of_before_there_were_findings_or_figures_opens(
    store, gate, tmp_path, version, statements
):
    store.close()
    with sqlite3.connect(tmp_path / "s.sqlite") as old:
        for statement in statements:
            old.execute(statement)
        old.execute(f"UPDATE dnnbench_schema SET version = {version}")
    with open_store(tmp_path / "s.sqlite") as opened:
        assert opened.findings().empty is (version == 7)
        assert opened.figures().empty
        assert len(opened.runs()) == 2


def test_a_cell_has_the_threshold_of_the_first_pattern_that_matches(store):
    reporting.add_run(store, "screen", arms=ARMS, **SHAPE)
    run = measured(store, "screen")
    policy = GatePolicy(0.5, thresholds=(("* infer", 0.15), ("mlp*", 0.04), ("*", 0.01)))
    cells = {cell.phase: cell for cell in screened(run, policy) if cell.arm == "numpy:eager"}
    assert {phase: cell.theta for phase, cell in cells.items()} == {
        "infer": 0.15,
        "train_step": 0.04,
    }
    assert {phase: cell.flagged for phase, cell in cells.items()} == {
        "infer": False,
        "train_step": True,
    }


def test_a_flagged_cell_is_held_against_its_own_threshold(store):
    """Ten per cent slower: beyond 4 %, not beyond 9.9 %."""
    reporting.add_run(store, "screen", arms=ARMS, **SHAPE)
    second = {"torch:eager": 1.0, "numpy:eager": 1.1}
    reporting.add_run(store, "confirm", arms=second, seed=1, confirms="screen", **SHAPE)
    policy = GatePolicy(0.5, thresholds=(("* infer", 0.04), ("*", 0.099)))
    first = screened(measured(store, "screen"), policy)
    cells = confirmed(first, measured(store, "confirm"), THETA)
    verdicts = {c.phase: c.outcome.verdict for c in cells if c.arm == "numpy:eager" and c.flagged}
    assert verdicts["infer"] == "CONFIRMED SLOWER"
    assert verdicts.get("train_step") in (None, "NOT CONFIRMED")


def test_what_must_be_seen_grows_with_a_threshold_of_its_own():
    policy = GatePolicy(0.1, thresholds=(("cnn*", 0.08),))
    assert policy.must_see_of(0.02) == 0.1
    assert policy.must_see_of(0.08) == pytest.approx(0.24)
