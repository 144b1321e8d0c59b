"""Figures of calls in a gate: told beside the base's, and what the policy names fails it."""

import json
from dataclasses import replace

import pytest
from dnnbench.cli.gate import _code
from dnnbench.execution.facts import GenerationFacts
from dnnbench.execution.gate import screened
from dnnbench.execution.gate_cells import Answer, Gate
from dnnbench.execution.gate_findings import finding_rows, read_gate
from dnnbench.execution.gate_policy import GatePolicy, Inconclusive
from dnnbench.execution.measured import measured
from dnnbench.execution.stored_facts import stored
from dnnbench.report.builders import sections_of
from dnnbench.report.evidence import gather
from dnnbench.report.gate_document import document
from dnnbench.report.junit import junit_of
from dnnbench.report.outcomes.gate import gate_sections, outcome_line
from dnnbench.stats.figures import Change
from dnnbench.store.store import open_store
from helpers import reporting, storing
from helpers.gates import THETA
from helpers.reporting import text_of

pytestmark = pytest.mark.slow

BASE, NEW = "torch:eager", "torch:eager@new"
PROCESSES = 6
NAMED = GatePolicy(0.5, figures=("oper*",))


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "s.sqlite") as opened:
        yield opened


def gate_of(
    store, base, candidate, policy=NAMED, speed=1.0, new=NEW, versions=("2.13.0", "2.13.0"), **row
):
    """A gate that counted `operators` in every process, as its store tells it.

    base, candidate: a value for each process.  row: other columns of the figure.
    versions: of PyTorch, of the base and of the candidate.
    """
    arms = {BASE: 1.0, new: speed}
    told = {
        reporting.arm_of(arm): {"torch": version}
        for arm, version in zip(arms, versions, strict=True)
    }
    facts = [stored(GenerationFacts(versions=told))] * PROCESSES
    cells = reporting.add_run(
        store, "screen", arms=arms, generations=PROCESSES, workloads=("mlp_digits",),
        seconds={"infer": 1e-3}, facts=facts, gate=policy.to_json(),
    )  # fmt: skip
    for process, pair in enumerate(zip(base, candidate, strict=True)):
        rows = [
            storing.figure_row(cell, **{"value": value} | row)
            for cell, value in zip(cells, pair, strict=False)
        ]
        store.add_generation("screen", 100 + process, {}, {}, figures=rows)
    run = measured(store, "screen")
    gate = Gate(BASE, THETA, "screen", screened(run, policy), chosen_policy=policy)
    store.add_findings("screen", finding_rows(gate, run))
    return read_gate(store, "screen")


def figure_of(gate):
    [cell] = gate.cells
    [figure] = cell.figures
    return figure


def test_one_more_operator_fails_a_gate_that_names_it(store):
    gate = gate_of(store, [4] * PROCESSES, [5] * PROCESSES)
    assert gate.answer is Answer.REGRESSED
    assert _code(gate) == 3
    assert outcome_line(gate).startswith("gate: REGRESSED: 1 cell screened")
    text = text_of(gate_sections(gate)[:1], 200)
    assert "operators: 5, of the base 4" in text
    assert "operators: 5, of the base 4" in junit_of(gate)


def test_one_more_operator_is_told_and_fails_nothing_where_no_policy_names_it(store):
    gate = gate_of(store, [4] * PROCESSES, [5] * PROCESSES, policy=GatePolicy(0.5))
    assert figure_of(gate).change is Change.MORE
    assert gate.answer is Answer.PASS


def test_fewer_operators_pass(store):
    gate = gate_of(store, [5] * PROCESSES, [4] * PROCESSES)
    assert figure_of(gate).change is Change.FEWER
    assert gate.answer is Answer.PASS


def test_a_figure_that_differs_between_the_base_s_processes_is_held_against_a_threshold(store):
    gate = gate_of(store, [4, 5] * 3, [5, 6] * 3)
    figure = figure_of(gate)
    assert figure.change is Change.EQUAL
    assert not figure.is_deterministic
    assert "differs from process to process" in figure.reason
    assert gate.answer is Answer.PASS


@pytest.mark.parametrize(
    ("candidate", "answer"), [(170, Answer.REGRESSED), (130, Answer.PASS)], ids=str
)
def test_a_counted_figure_fails_beyond_the_threshold(store, candidate, answer):
    base = [100, 110, 120, 130, 140, 120]
    gate = gate_of(store, base, [candidate + 20] * PROCESSES, figure_kind="counted")
    assert gate.answer is answer


def test_figures_of_two_versions_are_told_and_not_compared(store):
    gate = gate_of(store, [4] * PROCESSES, [5] * PROCESSES, versions=("2.12.0", "2.13.0"))
    figure = figure_of(gate)
    assert (figure.base, figure.candidate, figure.change) == (4, 5, Change.UNDECIDED)
    assert figure.reason == "the versions differ: torch 2.12.0 and 2.13.0"


def test_builds_of_one_version_are_compared(store):
    gate = gate_of(store, [4] * PROCESSES, [5] * PROCESSES, versions=("2.13.0+a", "2.13.0+b"))
    assert figure_of(gate).change is Change.MORE


def test_two_modes_are_not_compared(store):
    gate = gate_of(store, [4] * PROCESSES, [5] * PROCESSES, new="torch:compile@new")
    assert figure_of(gate).reason == "the arms differ in more than their environment"


def test_a_gate_whose_figure_could_not_be_decided_does_not_pass(store):
    gate = gate_of(store, [4] * PROCESSES, [4] * PROCESSES, versions=("2.12.0", "2.13.0"))
    assert gate.uncounted == ["oper*"]
    assert gate.answer is Answer.INCONCLUSIVE


def test_what_becomes_of_such_a_gate_is_the_policy_s_to_say(store):
    policy = GatePolicy(0.5, Inconclusive.PASS, figures=("graph_breaks",))
    assert gate_of(store, [4] * PROCESSES, [4] * PROCESSES, policy=policy).answer is Answer.PASS


def test_a_machine_that_does_not_count_says_so(store):
    gate = gate_of(
        store, [None] * PROCESSES, [None] * PROCESSES, policy=GatePolicy(0.5), reason="no counter"
    )
    figure = figure_of(gate)
    assert figure.change is Change.UNDECIDED
    assert figure.reason == "no counter"
    assert gate.answer is Answer.PASS


def check_rows(ratio):
    """Of both arms, as the store keeps them."""
    row = {
        "workload": "mlp_digits", "dtype": "float32", "kind": "outputs", "optimizer": "",
        "tensor": "y", "ok": True, "status": "agrees",
    }  # fmt: skip
    return [row | {"arm": BASE, "ratio": 0.25}, row | {"arm": NEW, "ratio": ratio}]


CURIOUS = GatePolicy(0.5, fail_on_unexplained_improvement=True)


@pytest.mark.parametrize(
    ("ratio", "operators", "answer"),
    [(0.25, 4, Answer.UNEXPLAINED), (0.5, 4, Answer.PASS), (0.25, 3, Answer.PASS)],
    ids=["nothing differs", "it rounds otherwise", "it does less"],
)
def test_a_faster_candidate_is_unexplained_where_nothing_differs(store, ratio, operators, answer):
    gate_of(store, [4] * PROCESSES, [operators] * PROCESSES, CURIOUS, speed=0.7)
    store.add_agreement("screen", check_rows(ratio))
    gate = read_gate(store, "screen")
    assert gate.answer is answer
    assert _code(gate) == (3 if answer is Answer.UNEXPLAINED else 0)


@pytest.mark.parametrize(("cells", "said"), [(1, "1 of 1 cell is"), (2, "2 of 2 cells are")])
def test_one_cell_is_said_as_one(store, cells, said):
    gate_of(store, [4] * PROCESSES, [4] * PROCESSES, CURIOUS, speed=0.7)
    store.add_agreement("screen", check_rows(0.25))
    gate = read_gate(store, "screen")
    several = replace(gate, cells=gate.cells * cells)
    assert gate_sections(several)[0].title == f"UNEXPLAINED: {said} faster, and nothing explains it"
    assert f"{cells} cell{'s' * (cells - 1)} screened" in outcome_line(several)


def test_an_unexplained_improvement_passes_where_nobody_asked(store):
    gate_of(store, [4] * PROCESSES, [4] * PROCESSES, GatePolicy(0.5), speed=0.7)
    store.add_agreement("screen", check_rows(0.25))
    gate = read_gate(store, "screen")
    assert gate.cells[0].is_unexplained
    assert gate.answer is Answer.PASS


def test_the_document_and_the_page_have_every_figure(store):
    gate = gate_of(store, [4] * PROCESSES, [5] * PROCESSES)
    [counted] = json.loads(json.dumps(document(gate)))["counted"]
    assert counted["figure"] == "operators"
    assert (counted["base"], counted["candidate"], counted["change"]) == (4, 5, "MORE")
    shown = {section.id: section for section in sections_of(gather(store, "screen"))}
    [row] = shown["gate-figures"].tables[0].rows
    assert [cell.text for cell in row] == ["mlp_digits/64 infer", "operators", "4", "5", "MORE", ""]


def test_a_policy_is_stored_with_the_figures_that_it_names():
    policy = GatePolicy(0.2, figures=("flops", "graph_*"), fail_on_unexplained_improvement=True)
    assert GatePolicy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


def test_a_policy_of_before_there_were_figures_names_none():
    stored = {"must_see": 0.2, "inconclusive": "fail", "thresholds": []}
    assert GatePolicy.from_json(stored).figures == ()
