"""Where something overrules an interval, no page shows it as one, and the reason stands beside
the verdict.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
from dnnbench.cli.run_json import run_document
from dnnbench.execution.gate import screened
from dnnbench.execution.measured import measured
from dnnbench.report import html, words
from dnnbench.report.evidence import gather
from dnnbench.stats.flags import PRESSURE, STEAL
from helpers import reporting
from helpers.reporting import cell, section_of

pytestmark = pytest.mark.slow

ONE = ("mlp_digits",)
TWO_ARMS = {"torch:eager": 1.0, "jax:jit": 0.5}
DISTURBED = {
    "flags": STEAL | PRESSURE,
    "facts": [{"system": {"load_1min": 15.2, "affinity": [0, 1]}}] + 5 * [{}],
}
REASON = "every round was disturbed (load 15 on 2 CPUs, stolen CPU time, other work on the CPUs)"
SLOWED = {"drift": 0.16, "arms": {"torch:eager": 1.0, "jax:jit": 0.98}}
FAULT = "twice the calls took 0.12 times as long, not 2: something else is timed"


def printed(evidence):
    """Every cell of the run with its doubts."""
    return reporting.printed(evidence, width=400, only="cells")


def added(store, **change):
    reporting.add_run(store, "r", **{"generations": 6, "workloads": ONE, "arms": TWO_ARMS} | change)
    return gather(store, "r")


def table_row(text, arm, phase="train_step"):
    """The row of an arm in the first table."""
    lines = text[text.index(phase) :].splitlines()
    return next(line for line in lines if arm in line)


OVERRULED = {
    "every round disturbed": (DISTURBED, REASON),
    "drift": (SLOWED, "drift: the ratio moves with time within generations"),
    "a twin off 1": (
        {"arms": TWO_ARMS | {"torch:eager#twin": 1.03}},
        "the base against itself came out as 1.03",
    ),
}


@pytest.mark.parametrize("case", OVERRULED)
def test_an_interval_that_something_overrules_is_shown_nowhere_and_the_reason_everywhere(
    empty, case
):
    change, reason = OVERRULED[case]
    found = added(empty, **change)
    row = cell(found.cells, "jax:jit", "train_step")
    assert (row.verdict, np.isnan(row.ratio_low), np.isnan(row.ratio_high)) == (
        "UNDECIDED",
        True,
        True,
    )
    assert np.isnan(row.smallest_difference), "what it could have seen is as doubtful"
    assert reason in row.verdict_reason
    assert row.ratio > 0
    text, said = printed(found), section_of(found, "verdicts").tables[0].rows
    assert "not judged" in table_row(text, "jax:jit")
    assert "UNDECIDED" not in table_row(text, "jax:jit")
    assert re.search(r"jax:jit \([a-z_, ]+\): not judged: " + re.escape(reason), text)
    assert [purpose.text for _, purpose, _ in said] == ["training", "inference"]
    says = rf"jax:jit \([\d.]+×\) not judged: .*{re.escape(reason)}.*"
    assert all(re.fullmatch(says, sentence.text) for *_, sentence in said)
    (document,) = [
        c
        for c in run_document(empty, "r")["cells"]
        if (c["arm"], c["phase"]) == ("jax:jit", "infer")
    ]
    assert (document["ratio_low"], document["ratio_high"]) == (None, None)
    assert reason in document["verdict_reason"]


def test_a_time_of_disturbed_rounds_has_no_interval_either(empty):
    found = added(empty, **DISTURBED)
    assert found.cells.call_s_low.isna().all()
    assert found.cells.call_s_high.isna().all()
    assert "[" not in table_row(printed(found), "torch:eager")


def test_a_twin_in_disturbed_rounds_covers_nothing(empty):
    found = added(empty, **DISTURBED | {"arms": TWO_ARMS | {"torch:eager#twin": 1.0}})
    (text,) = {
        line
        for line in reporting.printed(found, only="twins").splitlines()
        if re.search(r"train_step *torch:eager +1", line)
    }
    assert "not judged" in text
    assert "[" not in text
    assert "yes" not in text
    document = run_document(empty, "r")["twins"][0]
    assert (document["covers_1"], REASON in document["doubt"]) == (None, True)
    assert np.isnan(document["low"])


def test_an_interval_that_crosses_the_dead_zone_by_itself_is_shown(empty):
    found = added(empty, arms={"torch:eager": 1.0, "jax:jit": 1.02})
    row = cell(found.cells, "jax:jit", "train_step")
    assert row.verdict == "UNDECIDED"
    assert row.ratio_low < 1.02 < row.ratio_high
    assert "UNDECIDED" in table_row(printed(found), "jax:jit").split()
    assert "cannot be told from torch:eager" in html.page_of([found], static=True)


def far_apart(store):
    """Two generations, of which the second of both arms is forty times slower."""
    cells = reporting.add_run(
        store, "r", generations=1, workloads=ONE, arms={"torch:eager": 1.0, "jax:jit": 1.0}
    )
    samples = store.samples(cells)
    blocks = {}
    for place, name in enumerate(cells):
        rows = samples[samples.cell_id == name][
            ["round", "position", "k", "seconds", "flags"]
        ].to_numpy(float)
        rows[:, 3] *= (40.0, 1.0)[place % 2]
        blocks[name] = rows
    store.add_generation("r", 1, {}, blocks)
    return gather(store, "r")


def test_an_interval_of_two_decades_is_not_shown_and_the_generations_are_told(empty):
    found = far_apart(empty)
    base, arm = (cell(found.cells, name, "train_step") for name in ("torch:eager", "jax:jit"))
    assert np.isnan(base.call_s_low)
    assert base.generations == 2
    assert np.isnan(arm.ratio_low)
    assert arm.verdict == "UNDECIDED"
    told = (
        r"its generations lie too far apart: they took 0.02\d+ to (0.99\d|1\.0\d+) "
        r"times as long as the base's"
    )
    assert re.fullmatch(told, arm.verdict_reason)
    assert {cell.finding.overruled for cell in screened(measured(empty, "r"))} == {True}, (
        "a gate says the same"
    )
    text = printed(found)
    apart = (
        r"its generations lie too far apart: a call took (3\.9|4\.)\d* ms in one "
        r"and 1\d\d ms in another"
    )
    assert re.search(r"torch:eager \(train_step\): no interval of its time: " + apart, text)
    assert "[" not in table_row(text, "torch:eager"), "the base's time"
    assert table_row(text, "jax:jit").count("[") == 1, (
        "the arm's time, which is steady, and not its ratio"
    )
    torch, jax = (
        next(steps for steps in found.steps if steps.arm == name)
        for name in ("torch:eager", "jax:jit")
    )
    assert np.isnan(torch.seconds["backpropagation"].value)
    assert jax.seconds["backpropagation"].value > 0
    assert html.page_of([found], static=True).count("<svg") == 2, (
        "ratios, and steps of the arm that has them"
    )
    assert "no interval of its time" not in printed(added_quiet(empty))


def added_quiet(store):
    reporting.add_run(store, "quiet", generations=3, workloads=ONE, arms=TWO_ARMS)
    return gather(store, "quiet")


@pytest.mark.parametrize("arm", ["jax:jit", "torch:eager"])
@pytest.mark.parametrize(("kind", "phase"), [("audits", ""), ("rate_audits", " infer")])
def test_a_bench_that_contradicts_itself_has_no_verdict_on_its_inference(empty, arm, kind, phase):
    found = added(
        empty, facts=[{kind: {f"{arm} mlp_digits/64{phase}": {"faults": [FAULT]}}}, *5 * [{}]]
    )
    judged, other = (cell(found.cells, "jax:jit", phase) for phase in ("infer", "train_step"))
    assert (judged.verdict, judged.verdict_reason) == (
        "UNDECIDED",
        f"a bench contradicts itself: {arm}: {FAULT}",
    )
    assert np.isnan(judged.ratio_low)
    assert np.isnan(cell(found.cells, arm).call_s_low)
    assert other.verdict == "FASTER", "the audit calls inference alone"
    assert f"{arm}: {FAULT}" in html.page_of([found], static=True)
    assert FAULT in printed(found), "beside its table"


def test_a_gate_takes_no_verdict_from_disturbed_rounds_or_a_bench_that_contradicts_itself(empty):
    added(empty, **DISTURBED)
    (judged,) = [f for f in screened(measured(empty, "r")) if f.phase == "train_step"]
    assert not judged.sound
    assert judged.finding.reason.startswith(REASON)


def test_a_run_that_decided_nothing_says_so_first_and_why(empty):
    found = added(empty, **DISTURBED)
    assert found.nothing_decided.startswith(
        f"this run decided nothing against torch:eager: {REASON}"
    )
    assert section_of(found, "verdicts").sentences == (found.nothing_decided,)
    assert found.nothing_decided in html.page_of([found], static=True)


def test_a_run_that_decided_something_or_had_nothing_to_decide_says_no_such_thing(empty, known):
    assert known.nothing_decided == ""
    assert added(empty, arms={"torch:eager": 1.0}).nothing_decided == ""


def test_reasons_of_a_run_that_decided_nothing_are_counted(known):
    crossing = replace(known.rows[0], verdict="UNDECIDED", ratio_low=0.9, verdict_reason="crosses")
    doubted = [
        replace(crossing, ratio_low=None, verdict_reason=f"drift: rho {n}") for n in range(3)
    ]
    told = words.nothing_decided([crossing, *doubted, replace(crossing, verdict=None)], "b", 0.02)
    reasons = "drift (3 of 4 cells); the interval reaches across ±2 % (1 of 4 cells)"
    assert told == f"this run decided nothing against b: {reasons}"
    assert words.nothing_decided(doubted, "b", 0.02) == "this run decided nothing against b: drift"
