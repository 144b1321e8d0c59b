"""Shares of measured peaks, and when one arm overtakes another, against figures worked
out by hand.
"""

from dataclasses import replace

import pandas as pd
import pytest
from dnnbench.execution.facts import AuditFacts, CellFacts, GenerationFacts
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.device import CPU
from dnnbench.protocol.dtypes import DType
from dnnbench.protocol.keys import CaseKey, CellKey
from dnnbench.report.break_even import break_evens
from dnnbench.report.drawing import drawn
from dnnbench.report.purposes import Purpose
from dnnbench.report.roofline import ABOVE_MEANS, NOT_AUDITED, above_the_peak, roofs, shares
from dnnbench.report.sections.roofline import roofline
from dnnbench.spec.phases import Phase
from dnnbench.worker.peaks import Peaks
from dnnbench.worker.services.timing import Energy

NUMPY, TORCH = Arm("numpy", "eager"), Arm("torch", "eager")
KEY = CellKey(TORCH, CaseKey("net", 8), Phase.INFER)
PEAKS = {
    NUMPY: Peaks(4e9, 2e9, "big product", "long pass"),
    TORCH: Peaks(5e9, 1e9, "big product", "long pass"),
}


def cells(**changes):
    row = {
        "workload": "net", "batch_size": 8, "arm": "torch:eager", "backend": "torch",
        "mode": "eager", "environment": None, "threads": 1, "phase": "infer",
        "device": "cpu", "dtype": "float32", "call_s": 2.0, "flops": 4e9, "bytes": 1e9,
        "cell_id": "c", "spec_hash": "s", "call_s_low": 1.9, "call_s_high": 2.1, "generations": 3,
        "verdict": None, "peak_rss_bytes": None, "peak_device_bytes": None,
    }  # fmt: skip
    return pd.DataFrame([row | {"arm": "numpy:eager", "backend": "numpy"}, row | changes])


def test_a_share_divides_by_the_best_rate_of_any_arm_and_says_whose_it_is():
    tops = roofs(PEAKS)
    top = tops[CPU, DType.FLOAT32, 1]
    assert (top.flops_per_s, top.bytes_per_s) == (5e9, 2e9)
    assert top.flops_source.startswith("torch:eager")
    assert top.bytes_source.startswith("numpy:eager")
    (_, found) = shares(
        cells(),
        tops,
        GenerationFacts(cells={KEY: CellFacts(energy=Energy(4.0, "a counter"), device_call_s=1.5)}),
        {},
    )
    assert found.device_s == 1.5
    assert (found.rate, found.intensity, found.share) == (2e9, 4.0, pytest.approx(0.4))
    assert found.bound == "compute"
    assert found.joules == 4.0
    assert found.examples_per_joule == 2.0


def test_arms_with_more_threads_have_a_roof_of_their_own():
    more = replace(TORCH, threads=2)
    tops = roofs(PEAKS | {more: Peaks(9e9, 3e9, "big product", "long pass")})
    assert [(place[2], roof.flops_per_s) for place, roof in tops.items()] == [(1, 5e9), (2, 9e9)]


def test_little_work_on_many_bytes_is_bound_by_memory():
    (_, found) = shares(cells(flops=1e9), roofs(PEAKS), GenerationFacts(), {})
    assert found.device_s is None
    assert found.bound == "memory"
    assert found.joules is None
    assert found.examples_per_joule is None


def test_an_unknown_peak_gives_no_share():
    other = cells(device="gpu")
    (_, found) = shares(other, roofs({NUMPY: PEAKS[NUMPY]}), GenerationFacts(), {})
    assert found.share is None
    assert found.bound is None
    assert found.rate == 2e9


def test_phases_that_nobody_chooses_by_and_cells_without_a_time_have_no_row():
    assert len(shares(cells(phase="loss"), {}, GenerationFacts(), {})) == 1
    assert len(shares(cells(call_s=float("nan")), {}, GenerationFacts(), {})) == 1


def audited(*faults, error=""):
    """Facts in which the cell above the peak was audited again."""
    return GenerationFacts(cells={KEY: CellFacts(rate_audit=AuditFacts(faults, error=error))})


HONEST = audited()
ABOVE = {
    "it passed the audit": (HONEST, ">100 %", [f">100 %: {ABOVE_MEANS}"]),
    "it failed": (
        audited("kept"),
        "no figure",
        ["net/8 infer torch:eager: no figure: kept"],
    ),
    "nobody audited it": (
        GenerationFacts(),
        "no figure",
        [f"net/8 infer torch:eager: no figure: {NOT_AUDITED}"],
    ),
    "the audit ended": (
        audited(error="killed"),
        "no figure",
        [
            (
                "net/8 infer torch:eager: no figure: above the peak, and could not be audited "
                "again: killed"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", ABOVE)
def test_a_rate_above_the_peak_stands_only_if_it_was_audited_again(case):
    found, shown, told = ABOVE[case]
    rows = shares(cells(call_s=0.5), roofs(PEAKS), found, {})
    assert rows[1].share == pytest.approx(1.6)
    assert rows[1].of_peak == shown
    assert rows[1].rate_text == ("8.00 G" if shown == ">100 %" else "–")
    assert above_the_peak(rows) == told


def test_a_rate_above_the_peak_whose_time_is_doubtful_is_no_figure_though_it_passed_the_audit():
    """The peak was measured between the same disturbed rounds."""
    rows = shares(
        cells(call_s=0.5, cell_id="d"), roofs(PEAKS), HONEST, {"d": "every round was disturbed"}
    )
    assert rows[1].of_peak == "no figure"
    assert above_the_peak(rows) == ["net/8 infer torch:eager: no figure: every round was disturbed"]


def test_a_rate_below_the_peak_needs_no_audit():
    rows = shares(
        cells(call_s=0.81), roofs(PEAKS), GenerationFacts(), {"c": "every round was disturbed"}
    )
    assert rows[1].of_peak == "99 %"
    assert above_the_peak(rows) == []


@pytest.fixture(scope="module")
def with_peaks(known):
    """The known run, whose cells do 1e7 operations on 1e7 bytes, under a roof; one arm's cell in
    inference stands above it, and nobody audited it.
    """
    arms = {row.arm: row for row in known.rows}
    arm = Arm("torch", "eager", threads=arms["torch:eager"].threads)
    peaks = Peaks(1.5e10, 1e11, "big product", "long pass")
    facts = replace(known.facts, machine_peaks={arm: peaks})
    return replace(known, facts=facts)


def test_cells_stand_under_the_roof_in_a_picture(with_peaks):
    section = roofline(with_peaks)
    (chart,) = section.charts
    assert chart.caption == "machine m1, cpu float32"
    assert (chart.flops_per_s, chart.bytes_per_s) == (1.5e10, 1e11)
    infer = {point.arm: point.rate for point in chart.points if point.phase == "inference"}
    assert infer["torch:eager"] == pytest.approx(1e10, rel=0.02)
    assert "jax:jit" not in infer, "its rate is no figure"
    assert "<svg" in drawn(chart.spec({"torch": 0, "numpy": 1, "tensorflow": 2, "jax": 3}), "roof")


def test_the_roof_bends_where_operations_a_byte_are_enough(with_peaks):
    (chart,) = roofline(with_peaks).charts
    spec = chart.spec({"torch": 0, "numpy": 1, "tensorflow": 2, "jax": 3})
    roof = spec["datasets"][spec["layer"][0]["data"]["name"]]
    assert [round(point["intensity"], 3) for point in roof] == [0.094, 0.15, 1.6]
    assert [point["rate"] for point in roof] == pytest.approx([0.09375 * 1e11, 1.5e10, 1.5e10])


def test_the_nearest_cell_to_the_peak_is_named(with_peaks):
    (nearest,) = [line for line in roofline(with_peaks).sentences if line.startswith("The nearest")]
    assert nearest.startswith(
        "The nearest to it reaches 67 % of the peak, torch:eager in inference"
    )
    assert nearest.endswith("0 of 14 are bound by memory")


def purpose(arm, start_s, call_s, verdict=None):
    times = call_s, call_s, call_s
    return Purpose(
        "net", 8, arm, arm, "train_step", "training", "", 1, *times, start_s, None, None, verdict
    )


def test_who_starts_later_but_runs_faster_overtakes():
    (found,) = break_evens(
        [purpose("base", 1.0, 0.010), purpose("jit", 5.0, 0.002, "FASTER")], "base"
    )
    assert (found.arm, found.base, found.calls) == ("jit", "base", 500)
    assert found.sentence == "net/8 training: jit overtakes base after about 500 steps"


def test_a_break_even_is_told_with_two_digits_since_starts_and_times_are_known_no_better():
    (found,) = break_evens(
        [purpose("base", 1.0, 0.010), purpose("jit", 5.0, 0.00999, "FASTER")], "base"
    )
    assert found.sentence.endswith("after about 400,000 steps")


@pytest.mark.parametrize("verdict", ["UNDECIDED", "SAME", "SLOWER", None])
def test_arms_that_the_run_did_not_tell_apart_have_no_break_even(verdict):
    """The third verdict says another thing than the times."""
    assert (
        break_evens([purpose("base", 1.0, 0.010), purpose("jit", 5.0, 0.002, verdict)], "base")
        == []
    )


def test_the_base_may_be_the_one_that_overtakes():
    (found,) = break_evens(
        [purpose("base", 5.0, 0.002), purpose("eager", 1.0, 0.010, "SLOWER")], "base"
    )
    assert (found.arm, found.base) == ("base", "eager")


@pytest.mark.parametrize(
    "other",
    [
        purpose("late", 5.0, 0.02, "SLOWER"),
        purpose("early", 0.5, 0.001, "FASTER"),
        purpose("new", None, 0.001, "FASTER"),
    ],
)
def test_who_never_crosses_is_not_told(other):
    assert break_evens([purpose("base", 1.0, 0.010), other], "base") == []
