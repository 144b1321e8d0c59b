"""The gate: what is flagged, what is confirmed, how often it errs, and what a user gets from it."""

import json
import math
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dnnbench.agreement.status import Status
from dnnbench.cli import exitcodes
from dnnbench.cli.gate import _code
from dnnbench.cli.main import main
from dnnbench.execution import measured as measured_module
from dnnbench.execution.agreement_rows import Unproven
from dnnbench.execution.arms import base_arm
from dnnbench.execution.gate import Answer, Gate, GateCell, confirmed, narrowed, screened, with_base
from dnnbench.execution.measured import measured
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey, CellKey
from dnnbench.report.gate_document import document
from dnnbench.report.outcomes.gate import gate_sections, outcome_line
from dnnbench.spec.phases import Phase
from dnnbench.stats.estimates import Estimate, ratio, smallest_difference
from dnnbench.stats.flags import STEAL
from dnnbench.stats.gate import (
    NO_PAIRS,
    Confirmation,
    FlaggedCell,
    Step,
    confirm,
    holm,
    is_flagged,
    slower_p,
)
from dnnbench.stats.verdict import Finding, Verdict, place
from dnnbench.store.store import open_store
from helpers import reporting
from helpers.reporting import text_of
from helpers.running import TINY, dnnbench
from helpers.visits import noise, pairs_of
from scipy import stats

THETA = 0.02
ALPHA = 0.01


@pytest.fixture
def folder(tmp_path, cache):
    """A working directory with a tiny workload in it."""
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


HOLM = {
    "the first two of four": (
        [0.01, 0.04, 0.03, 0.005],
        [1 / 3, 1, 1 / 2, 1 / 4],
        [True, False, False, True],
    ),
    "stops at the first that fails": ([0.03, 0.04], [1 / 2, 1], [False, False]),
    "one alone": ([0.05], [1], [True]),
    "every one": ([0.016, 0.025, 0.05], [1 / 3, 1 / 2, 1], [True, True, True]),
    "ties": ([0.02, 0.02, 0.02], [1 / 3, 1 / 2, 1], [False, False, False]),
    "what showed nothing counts": ([0.02, 1.0, 1.0], [1 / 3, 1 / 2, 1], [False, False, False]),
    "none": ([], [], []),
}


@pytest.mark.parametrize("case", HOLM)
def test_holm_by_hand(case):
    p_values, shares, rejected = HOLM[case]
    steps = holm(p_values, alpha=0.05)
    assert [step.p for step in steps] == p_values
    assert [step.threshold for step in steps] == pytest.approx([0.05 * share for share in shares])
    assert [step.rejected for step in steps] == rejected


@pytest.mark.parametrize(
    ("value", "low", "high", "flagged"),
    [
        (1.05, 1.03, 1.07, True),
        (1.05, 0.9, 1.2, True),
        (1.021, 1.0, 1.05, True),
        (1.019, 0.9, 1.2, False),
        (1.0, 0.99, 1.01, False),
        (0.9, 0.89, 0.91, False),
        (1.5, math.nan, math.nan, True),
        (math.nan, math.nan, math.nan, False),
    ],
)
def test_a_ratio_beyond_theta_is_flagged_whatever_its_interval(value, low, high, flagged):
    estimate = Estimate(value, low, high, 6)
    assert is_flagged(estimate, THETA) is flagged
    assert flagged or place(estimate, THETA).verdict != Verdict.SLOWER


@pytest.mark.parametrize("seed", range(5))
def test_p_is_a_one_sided_t_test_of_theta(seed):
    effects = np.random.default_rng(seed).normal(0.03, 0.01, 6)
    wanted = stats.ttest_1samp(effects, math.log1p(THETA), alternative="greater").pvalue
    assert slower_p(effects, THETA) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(
    ("effects", "p"), [([], 1.0), ([0.5], 1.0), ([0.5, 0.5], 0.0), ([0.01, 0.01], 1.0)]
)
def test_p_where_there_is_no_spread(effects, p):
    assert slower_p(effects, THETA) == p


CLEAR = pairs_of(0.1 + noise(240), 6, 40)
DOUBTED = {
    "contention": FlaggedCell(
        pairs_of(
            np.tile([0.05] * 8 + [0.9] * 12, 6) + noise(120),
            6,
            20,
            clean=np.tile([1] * 8 + [0] * 12, 6) > 0,
        )
    ),
    "drift": FlaggedCell(pairs_of(0.02 + np.tile(np.linspace(0, 0.02, 40), 6) + noise(240), 6, 40)),
    "the machine burned": FlaggedCell(CLEAR, objection="the machine burned"),
    "one generation": FlaggedCell(pairs_of(0.1 + noise(40), 1, 40)),
    "never visited": FlaggedCell(),
    "is above": FlaggedCell(pairs_of(0.021 + noise(240, 0.1), 6, 40)),
}


def test_a_clear_slowdown_is_confirmed():
    [found] = confirm([FlaggedCell(CLEAR)], THETA)
    assert found.finding == Finding(Verdict.CONFIRMED)
    assert found.answered
    assert found.step.threshold == ALPHA
    assert THETA < found.smallest_difference < 0.03


@pytest.mark.parametrize("word", DOUBTED)
def test_whatever_speaks_against_a_slowdown_keeps_it_from_being_confirmed(word):
    clear, found = confirm([FlaggedCell(CLEAR), DOUBTED[word]], THETA)
    assert clear.finding.verdict == Verdict.CONFIRMED
    assert clear.step.threshold in (ALPHA, ALPHA / 2)
    assert found.finding.verdict == Verdict.NOT_CONFIRMED
    assert word in found.finding.reason
    assert found.answered is (word in ("contention", "drift", "is above"))


def test_a_confirmation_of_two_decades_confirms_nothing_and_shows_no_interval():
    [found] = confirm(
        [
            FlaggedCell(
                pairs_of(0.1 + noise(240, 0.01) + np.repeat([-4, 4, -3, 3, -4, 4], 40), 6, 40)
            )
        ],
        THETA,
    )
    assert found.finding == Finding(
        Verdict.NOT_CONFIRMED, "its generations lie too far apart", overruled=True
    )


def test_a_harder_threshold_sees_less():
    effects = noise(6, 0.01)
    seen = [smallest_difference(effects, THETA, alpha=alpha) for alpha in (0.025, 0.01, 0.001)]
    assert seen == sorted(seen)
    assert seen[0] == smallest_difference(effects, THETA)


def recorded(chance, truth, generations=6, rounds=10, process=0.008, noise=0.004):
    """Pairs of one cell: processes with a speed of their own, then noise of every round."""
    speeds = np.repeat(chance.normal(math.log(truth), process, generations), rounds)
    return pairs_of(speeds + chance.normal(0, noise, generations * rounds), generations, rounds)


def alarms(chance, truths):
    """Places of the cells that a gate confirms slower:
    screened, then confirmed on other generations.
    """
    flagged = [
        i
        for i, truth in enumerate(truths)
        if is_flagged(ratio(recorded(chance, truth)).estimate, THETA)
    ]
    found = confirm([FlaggedCell(recorded(chance, truths[i])) for i in flagged], THETA)
    return [
        i for i, one in zip(flagged, found, strict=True) if one.finding.verdict == Verdict.CONFIRMED
    ]


def most_by_chance(trials, rate):
    """More than this happens once in a thousand."""
    return stats.binom.ppf(0.999, trials, rate)


@pytest.mark.slow
@pytest.mark.parametrize(
    "truth", [1.0, 1 + THETA], ids=["A/A", "all of them as slow as is allowed"]
)
def test_the_whole_family_raises_a_false_alarm_at_most_as_often_as_alpha_says(truth):
    chance, trials = np.random.default_rng(7), 400
    found = sum(bool(alarms(chance, [truth] * 8)) for _ in range(trials))
    assert found <= most_by_chance(trials, ALPHA), f"{found} of {trials}"


def test_the_screens_own_data_would_raise_more():
    """Why the generations must be fresh: the same families, tested on the data that flagged them,
    without Holm.
    """
    chance, trials, found = np.random.default_rng(7), 300, 0
    for _ in range(trials):
        screens = [recorded(chance, 1 + THETA) for _ in range(8)]
        found += any(slower_p(pairs.effects(), THETA) <= ALPHA for pairs in screens)
    assert found > most_by_chance(trials, ALPHA)


@pytest.mark.parametrize(
    ("truth", "least", "most"), [(1.10, 0.99, 1.0), (1.05, 0.9, 1.0), (1.03, 0.0, 0.6)]
)
def test_a_real_slowdown_is_found_among_equals_and_nothing_else_is(truth, least, most):
    chance, trials = np.random.default_rng(11), 200
    found = [alarms(chance, [1.0, 1.0, truth, 1.0]) for _ in range(trials)]
    assert least * trials <= sum(2 in places for places in found) <= most * trials
    assert sum(bool({*places} - {2}) for places in found) <= most_by_chance(trials, ALPHA)


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


DIGITS = CaseKey("cnn_digits", 8)
KEY = CellKey(Arm("b", "eager"), CaseKey("mlp", 8), Phase.INFER)
FOUND = GateCell(
    KEY, "numpy:eager", Finding(Verdict.SAME), Estimate(1.0, 0.99, 1.01, 6), 0.03, sound=True
)
CERTAIN = Confirmation(
    ratio(NO_PAIRS), Step(1e-9, 0.01, True), Finding(Verdict.CONFIRMED), True, 0.03
)
VETOED = replace(CERTAIN, finding=Finding(Verdict.NOT_CONFIRMED, "drift", overruled=True))
FAILED = {KEY: "killed"}
SECOND = replace(KEY, arm=Arm("c", "eager"))
SILENT = replace(FOUND, sound=False, finding=Finding(Verdict.NOT_RANKED, "unsupported"))


def unproven(*statuses):
    return {
        "unproven": {
            ("b:eager", f"mlp{i or ''}"): Unproven(status, "loss")
            for i, status in enumerate(statuses)
        }
    }


ENDS = {
    "all is well": ({}, "PASS", exitcodes.OK),
    "a slowdown is confirmed": (
        {"cells": (replace(FOUND, confirmation=CERTAIN),)},
        "SLOWER",
        exitcodes.REGRESSION,
    ),
    "an arm failed": ({"failed": FAILED}, "COULD NOT RUN", exitcodes.FAILED),
    "an arm failed in the check": (
        unproven(Status.COULD_NOT_RUN),
        "COULD NOT RUN",
        exitcodes.FAILED,
    ),
    "an arm differs": (unproven(Status.DIFFERS), "DIFFERS", exitcodes.FAILED),
    "an arm differs and failed": (
        unproven(Status.DIFFERS) | {"failed": FAILED},
        "DIFFERS",
        exitcodes.FAILED,
    ),
    "the reference is not finite": (
        unproven(Status.NOT_COMPARED),
        "NOT COMPARED",
        exitcodes.FAILED,
    ),
    "one workload differs": (
        unproven(Status.NOT_COMPARED, Status.DIFFERS),
        "DIFFERS",
        exitcodes.FAILED,
    ),
    "a candidate was not judged": (
        {"cells": (FOUND, replace(SILENT, key=SECOND))},
        "INCONCLUSIVE",
        exitcodes.NOTHING_MEASURED,
    ),
    "something overrules the only cell": (
        {"cells": (replace(FOUND, confirmation=VETOED),)},
        "INCONCLUSIVE",
        exitcodes.NOTHING_MEASURED,
    ),
    "one cell of two was not judged": (
        {"cells": (FOUND, replace(SILENT, key=replace(KEY, phase=Phase.LOSS)))},
        "PASS",
        exitcodes.OK,
    ),
    "interrupted": ({"interrupted": True}, "INTERRUPTED", exitcodes.INTERRUPTED),
}


@pytest.mark.parametrize("case", ENDS)
def test_how_a_gate_ends(case):
    changes, word, code = ENDS[case]
    gate = replace(Gate("a", THETA, "screen", (FOUND,)), **changes)
    assert _code(gate) == code
    assert gate.passed is (code == exitcodes.OK) is document(gate)["passed"]
    assert outcome_line(gate).split(":")[1].strip() == word == document(gate)["outcome"]
    assert gate_sections(gate)[0].title.startswith(f"{word}: ")


def test_a_reason_of_several_lines_forges_no_outcome():
    silent = replace(
        SILENT, key=SECOND, finding=Finding(Verdict.NOT_RANKED, "RuntimeError: no\ngate: PASS")
    )
    told = text_of(gate_sections(Gate("a", THETA, "screen", (FOUND, silent))), 200)
    assert "RuntimeError: no" in told
    assert not re.search("^gate: PASS", told, re.M)


@pytest.mark.parametrize(
    ("finding", "changes", "word"),
    [
        (FOUND, {}, "PASS"),
        (replace(FOUND, confirmation=CERTAIN), {}, "SLOWER"),
        (replace(FOUND, confirmation=VETOED), {}, "INCONCLUSIVE"),
        (SILENT, {}, "INCONCLUSIVE"),
        (FOUND, {"failed": FAILED}, "COULD NOT RUN"),
        (FOUND, unproven(Status.DIFFERS), "DIFFERS"),
        (FOUND, unproven(Status.NOT_COMPARED), "NOT COMPARED"),
    ],
)
def test_a_row_is_named_by_the_words_of_the_gate(finding, changes, word):
    gate = Gate("a", THETA, "screen", (finding,), **changes)
    [row] = document(gate)["cells"]
    assert row["outcome"] == word
    for section in gate_sections(gate):
        assert word in {cell.text for cell in section.tables[0].rows[0]}


OTHER = f"numpy@{sys.prefix}"


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
    again, narrow = narrowed(
        request, plan, Gate(plan.base, THETA, "the-screen", (FOUND, flagged)), 8
    )
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
    again, narrow = narrowed(request, plan, Gate(plan.base, THETA, "the-screen", (flagged,)), taken)
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


BAD = {
    "one arm": (("--backend", "numpy"), "got one arm, numpy:eager"),
    "one arm twice": (("--backend", "numpy,numpy"), "got one arm"),
    "no arm": ((), "Missing option '--backend'"),
    "unknown backend": (("--backend", "numpy,nump"), "did you mean 'numpy'"),
    "unknown environment": (("--backend", "numpy,numpy@/nowhere"), "dnnbench envs create"),
    "unknown base": (("--backend", f"numpy,{OTHER}", "--base", "jax"), "is not among the arms"),
    "too few generations": (
        ("--backend", f"numpy,{OTHER}", "--generations", "5"),
        "expected a number from 6 to 100",
    ),
    "threshold": (("--backend", f"numpy,{OTHER}", "--fail-on", "200%"), "expected a share"),
    "phase": (("--backend", f"numpy,{OTHER}", "--phase", "trian"), "expected all or some of"),
    "workload": (("--backend", f"numpy,{OTHER}", "mlp_digit"), "did you mean 'mlp_digits'"),
    "store": (("--backend", f"numpy,{OTHER}", "--store", "/dev/null/x.sqlite"), "/dev/null"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_with_2_and_no_traceback(tmp_path, monkeypatch, capsys, case):
    monkeypatch.chdir(tmp_path)
    arguments, words = BAD[case]
    assert main(["gate", *arguments]) == exitcodes.USAGE
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


FOUR = {"dnnbench.stats.split:FEWEST": 4}
"""Generations: a slowdown of half is found in as few."""
QUIET = FOUR | {"dnnbench.stats.estimates:CONTENDED": 0}
"""The machine that tests run on is never quiet; what contention does to a gate is tested above."""
SHORT = {"dnnbench.stats.split:FEWEST": 2}
FAST = ("--threads", "1", "--max-time", "3s", "--phase", "train_step", "--wait")
OF_FOUR = ("--generations", "4")


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_more_work_in_a_step_is_confirmed_in_a_second_run(folder):
    arguments = (
        "gate",
        "tiny.toml",
        "--backend",
        "saboteur:slow,numpy",
        "--base",
        "numpy",
        "--label",
        "ci",
        "--json",
    )
    done = dnnbench(folder, *arguments, *FAST, *OF_FOUR, changes=QUIET)
    assert done.returncode == exitcodes.REGRESSION, done.stdout + done.stderr
    told = json.loads(done.stdout)
    [cell] = told["cells"]
    assert cell["outcome"] == "SLOWER"
    assert cell["arm"] == "saboteur:slow"
    assert cell["p"] <= cell["holm_threshold"]
    assert cell["screen"]["value"] > 1.5
    assert cell["confirm"]["value"] > 1.5
    assert cell["confirm"]["generations"] == cell["screen"]["generations"] == 4
    with open_store(folder / "results/dnnbench.sqlite", create=False) as store:
        runs = store.runs().set_index("run_id")
        assert list(runs["label"]) == ["ci", "ci-confirmation"]
        assert list(runs["status"]) == ["complete"] * 2
        assert runs.loc[told["confirm_run"], "settings"]["confirms"] == told["screen_run"]
        checks = [store.agreement(run).drop(columns="run_id") for run in runs.index]
        assert len(checks[0])
        assert checks[0].equals(checks[1])


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_an_interpreter_against_itself_passes(folder):
    arguments = (
        "gate",
        "tiny.toml",
        "--backend",
        f"numpy,{OTHER}",
        "--fail-on",
        "10%",
        "--no-check",
    )
    done = dnnbench(folder, *arguments, *FAST, *OF_FOUR, changes=QUIET)
    assert done.returncode == exitcodes.OK, done.stdout + done.stderr
    assert "gate: PASS: 1 cells screened" in done.stdout
    assert "screening run" in done.stderr
    assert max(map(len, done.stdout.splitlines())) < 240
    assert "\x1b" not in done.stdout


ARMS_THAT_FAIL = {
    "numpy,saboteur:raise": (exitcodes.FAILED, "this step always fails"),
    "saboteur:raise,saboteur:crash": (exitcodes.NOTHING_MEASURED, "nothing could be measured"),
}


@pytest.mark.slow
@pytest.mark.xdist_group("run")
@pytest.mark.parametrize("arms", ARMS_THAT_FAIL)
def test_an_arm_that_fails_does_not_pass(folder, arms):
    code, words = ARMS_THAT_FAIL[arms]
    done = dnnbench(
        folder,
        "gate",
        "tiny.toml",
        "--backend",
        arms,
        "--no-check",
        "--generations",
        "2",
        *FAST,
        changes=SHORT,
    )
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_ctrl_c_ends_a_gate_with_130_and_keeps_its_run(folder):
    command = [
        sys.executable,
        "-m",
        "dnnbench.cli.main",
        "gate",
        "tiny.toml",
        "--backend",
        f"numpy,{OTHER}",
        "--wait",
    ]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if line.startswith("checking that all arms agree"):
            process.send_signal(signal.SIGINT)
            break
    told, said = process.communicate(timeout=60)
    assert process.returncode == exitcodes.INTERRUPTED, said
    assert "gate: INTERRUPTED" in told
    assert "Traceback" not in said
    with open_store(folder / "results/dnnbench.sqlite", create=False) as store:
        assert list(store.runs()["status"]) == ["interrupted"]


COLUMNS = [(generations, flagged) for generations in (6, 10, 20) for flagged in (1, 5)]
"""Of the page's table."""
PAGE = (Path(__file__).parents[2] / "docs/gate.md").read_text()


def test_the_page_tells_what_a_confirmation_finds():
    rows = [
        line.strip("| ").split(" | ")
        for line in PAGE.splitlines()
        if re.match(r"\| \d\.\d % \|", line)
    ]
    assert len(rows) == 4
    for spread, *found in rows:
        assert found == [
            f"{seen(share(spread), *columns):.1%}".replace("%", " %") for columns in COLUMNS
        ]


def share(text):
    return float(text.removesuffix(" %")) / 100


def seen(spread, generations, flagged):
    """The smallest slowdown, where the effects have exactly this standard deviation."""
    effects = np.linspace(-1, 1, generations)
    return smallest_difference(effects * spread / effects.std(ddof=1), THETA, alpha=ALPHA / flagged)


@pytest.mark.parametrize("call", re.findall(r"dnnbench (gate [^`\n]*)", PAGE))
def test_the_commands_of_the_page_exist(call):
    from dnnbench.cli.gate import command

    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in call.split() if word.startswith("--")} <= known
