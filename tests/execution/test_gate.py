"""The gate: what is flagged, what is confirmed, how often it errs, and what a user gets from it."""

import json

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.gate import _code
from dnnbench.execution import measured as measured_module
from dnnbench.execution.arms import base_arm
from dnnbench.execution.fresh import Fresh, confirmations
from dnnbench.execution.gate import confirmed, narrowed, screened, with_base
from dnnbench.execution.gate_cells import Answer, Gate, GateCell
from dnnbench.execution.measured import measured
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CellKey
from dnnbench.report.gate_document import document
from dnnbench.report.outcomes.gate import gate_sections, outcome_line
from dnnbench.spec.phases import Phase
from dnnbench.stats.flags import STEAL
from dnnbench.stats.verdict import Finding, Verdict
from dnnbench.store.store import open_store
from helpers import reporting
from helpers.gates import ALPHA, DIGITS, FOUND, OTHER, THETA
from helpers.reporting import text_of

ARMS = {"torch:eager": 1.0, "jax:jit": 1.0, "slow:eager": 1.1, "fast:eager": 0.8}
SECONDS = {"infer": 1e-3, "train_step": 4e-3}


def two_stages(path, second):
    """A gate's findings from simulated runs; `second` holds the arms of the confirming one."""
    shape = {"generations": 6, "workloads": ("mlp_digits",), "seconds": SECONDS}
    with open_store(path) as store:
        reporting.add_run(store, "screen", arms=ARMS, **shape)
        reporting.add_run(store, "confirm", arms=second, seed=1, **shape)
        findings = screened(measured(store, "screen"))
        assert all(finding.flagged is (finding.arm == "slow:eager") for finding in findings)
        return confirmed(findings, measured(store, "confirm"), THETA)


@pytest.mark.parametrize(
    ("again", "outcome"), [(1.1, Verdict.CONFIRMED), (1.0, Verdict.NOT_CONFIRMED)]
)
def test_the_confirming_run_has_the_last_word_on_what_was_flagged(tmp_path, again, outcome):
    findings = two_stages(tmp_path / "s.sqlite", {"torch:eager": 1.0, "slow:eager": again})
    gate = Gate("torch:eager", THETA, "screen", findings, "confirm")
    assert {f.arm: f.outcome.verdict for f in findings} == {
        "jax:jit": Verdict.SAME, "fast:eager": Verdict.FASTER, "slow:eager": outcome,
    }  # fmt: skip
    assert {f.arm: f.stage for f in findings}["slow:eager"] == "confirm"
    assert not gate.unjudged
    assert _code(gate) == (exitcodes.REGRESSION if outcome == Verdict.CONFIRMED else exitcodes.OK)
    told = document(gate)
    assert told["passed"] is (outcome != Verdict.CONFIRMED)
    assert len(told["cells"]) == 6
    slow = next(cell for cell in told["cells"] if cell["flagged"])
    assert slow["confirm"]["value"] == pytest.approx(again, rel=0.01)
    assert slow["holm_threshold"] <= ALPHA
    assert slow["screen"]["value"] == pytest.approx(1.1, rel=0.01)
    assert slow["screen_verdict"] == Verdict.SLOWER
    brief, details = gate_sections(gate)
    assert [len(section.tables[0].rows) for section in (brief, details)] == [6, 6]
    text = text_of([brief, details], 200)
    assert "6 cells screened, 2 flagged" in outcome_line(gate)
    assert "PASS: fast:eager (mlp_digits/64 infer" in text
    word = Answer.SLOWER if outcome == Verdict.CONFIRMED else Answer.PASS
    assert f"{word}: slow:eager" in text
    assert outcome_line(gate).startswith(f"gate: {word}:")
    assert brief.title.startswith(f"{word}: ")
    assert told["outcome"] == slow["outcome"] == word


def test_a_cell_that_the_second_run_could_not_measure_is_not_confirmed(tmp_path):
    path = tmp_path / "s.sqlite"
    findings = two_stages(path, {"torch:eager": 1.0, "slow:eager": 1.1})
    with open_store(path) as store:
        cells = store.cells("confirm")
        failed = cells.cell_id[(cells.arm == "slow:eager") & (cells.phase == "infer")].item()
        store.update_cells(
            "confirm", [{"cell_id": failed, "status": "failed", "reason": "failed: killed"}]
        )
        again = confirmed(findings, measured(store, "confirm"), THETA)
    told = {f.phase: f for f in again if f.arm == "slow:eager"}
    assert told["train_step"].outcome.verdict == Verdict.CONFIRMED
    assert told["train_step"].confirmation.step.threshold == ALPHA / 2, (
        "what failed stays in the family"
    )
    assert told["infer"].outcome == Finding(Verdict.NOT_CONFIRMED, "not ranked: failed: killed")
    assert not told["infer"].answered


def test_a_gate_under_contention_in_every_round_has_judged_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(measured_module, "all_contended", lambda cells: True)
    with open_store(tmp_path / "s.sqlite") as store:
        reporting.add_run(
            store, "screen", arms=ARMS, generations=6, workloads=("mlp_digits",), seconds=SECONDS
        )
        gate = Gate("torch:eager", THETA, "screen", screened(measured(store, "screen")))
    assert {f.outcome.verdict for f in gate.cells} == {Verdict.UNDECIDED}
    assert set(gate.unjudged) == set(ARMS) - {"torch:eager"}
    assert _code(gate) == exitcodes.NOTHING_MEASURED
    assert outcome_line(gate).startswith("gate: INCONCLUSIVE: 6 cells screened")
    assert "6 not judged" in outcome_line(gate)
    assert {gate.answer_of(finding) for finding in gate.cells} == {Answer.INCONCLUSIVE}


def test_the_table_shows_no_interval_and_no_p_where_something_overrules_them(tmp_path):
    """A screen that drifts, and a confirmation of which every round was disturbed."""
    drifting = {"arms": {"torch:eager": 1.0, "slow:eager": 0.98}, "drift": 0.16}
    shape = {"generations": 6, "workloads": ("mlp_digits",), "seconds": {"infer": 1e-3}}
    with open_store(tmp_path / "s.sqlite") as store:
        reporting.add_run(store, "screen", **shape, **drifting)
        reporting.add_run(store, "confirm", **shape, arms=drifting["arms"], flags=STEAL, seed=1)
        findings = confirmed(screened(measured(store, "screen")), measured(store, "confirm"), THETA)
    (finding,) = findings
    assert finding.flagged
    assert finding.finding.overruled
    assert finding.outcome.overruled
    brief, whole = gate_sections(Gate("torch:eager", THETA, "s", findings, "c"))
    (row,) = whole.tables[0].rows
    shown = dict(zip([column.heading for column in whole.tables[0].columns], row, strict=True))
    assert not any(cell.interval for cell in [*row, *brief.tables[0].rows[0]]), shown
    assert shown["verdict"].text == "not judged"
    assert [shown[name].text for name in ("p", "Holm", "could see")] == ["", "", ""]
    assert shown["outcome"].text == Answer.INCONCLUSIVE
    [told] = document(Gate("torch:eager", THETA, "s", findings, "c"))["cells"]
    ends = {told[stage][end] for stage in ("screen", "confirm") for end in ("low", "high")}
    assert ends == {None} == {told["p"], told["holm_threshold"], told["smallest_difference"]}


def planned(generations=6):
    """Request and plan of a gate over two cases and two phases."""
    settings = Settings(phases=("infer", "train_step"), generations=generations, theta=THETA)
    workloads = (find_workload("mlp_digits"), find_workload("cnn_digits"))
    request = with_base(Request(workloads, (f"numpy,{OTHER}",), settings, batch_sizes=(1, 8)))
    return request, make_plan(request, Silent())[0]


def test_the_second_run_measures_what_was_flagged_and_nothing_else():
    request, plan = planned()
    assert plan.base == "numpy:eager"
    assert len(plan.cells()) == 2 * 2 * 2 * 2 + 1
    flagged = GateCell(
        CellKey(plan.arms[-1], DIGITS, Phase.INFER),
        plan.base,
        Finding(Verdict.SLOWER),
        flagged=True,
    )
    gate = Gate(plan.base, THETA, "the-screen", (FOUND, flagged))
    again, narrow = narrowed(request, plan, gate.flagged, "the-screen", Fresh(8, 60.0))
    wanted = {(arm.name, "cnn_digits", 8, "infer") for arm in plan.arms} | {
        ("control", "", 0, "control")
    }

    def cells(plan):
        return {(c["arm"], c["workload"], c["batch_size"], c["phase"]) for c in plan.cells()}

    assert cells(narrow) == wanted
    assert narrow.settings.precision == 0
    assert again.confirms == "the-screen"
    stored = json.loads(json.dumps(again.to_json(narrow)))
    resumed = Request.from_json(stored)
    assert cells(make_plan(resumed, Silent())[0]) == wanted, "a resumed run measures the same"
    assert resumed.only == ((DIGITS, Phase.INFER),)
    assert resumed.base == "numpy:eager"


@pytest.mark.parametrize(("asked", "taken", "wanted"), [(None, 40, 40), (6, 8, 6)])
def test_the_second_run_never_chooses_its_generations_by_its_own_noise(asked, taken, wanted):
    """As many as the first took.

    Where a number was asked for, that, and not the ones that contention had replaced.
    """
    request, plan = planned(asked)
    flagged = GateCell(
        CellKey(plan.arms[-1], DIGITS, Phase.INFER),
        plan.base,
        Finding(Verdict.SLOWER),
        flagged=True,
    )
    (fresh,) = confirmations(plan.settings, taken, plan.settings.max_time_s, False)
    again, narrow = narrowed(request, plan, [flagged], "the-screen", fresh)
    assert again.settings.generations == narrow.settings.generations == wanted


def test_requests_stored_before_there_was_a_gate_can_still_be_read():
    request, plan = planned()
    stored = {
        name: value
        for name, value in request.to_json(plan).items()
        if name not in ("only", "confirms")
    }
    assert Request.from_json(stored).only == ()


DESCRIBED = [
    Arm("torch", "compile", environment="new"),
    Arm("torch", "eager", environment="new"),
    Arm("torch", "eager"),
    Arm("jax", "jit"),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("torch:eager@new", "torch:eager@new"),
        ("torch@new", "torch:compile@new"),
        ("torch", "torch:eager"),
        ("jax", "jax:jit"),
    ],
)
def test_a_base_is_named_as_backends_are(wanted, found):
    assert base_arm(DESCRIBED, wanted).name == found
