import math

import numpy as np
import pytest
from dnnbench.stats.apart import (
    LEAST_RUNS,
    Recorded,
    Spread,
    compare_apart,
    spread_between,
    welch_ratio,
)
from dnnbench.stats.estimates import NOTHING, contended_rounds
from dnnbench.stats.verdict import Verdict
from helpers.visits import visits, within_binomial_bounds


def recorded(
    chance, log_time, generations=8, rounds=20, control=0.0, machine="m", process=0.005, day=0.0
):
    """A run: `day` slows cell and control alike, `control` the control alone."""
    size = generations * rounds

    def one(mean):
        speed = np.repeat(process * chance.standard_normal(generations), rounds)
        return visits(
            np.exp(mean + day + speed + 0.002 * chance.standard_normal(size)), generations, rounds
        )

    return Recorded(one(log_time), one(control), machine)


@pytest.mark.parametrize(
    ("shift", "text"), [(0.06, Verdict.SLOWER), (-0.06, Verdict.FASTER), (0.0, Verdict.SAME)]
)
def test_runs_on_one_machine_are_judged(shift, text):
    chance = np.random.default_rng(1)
    result = compare_apart(recorded(chance, 0.0), recorded(chance, shift, generations=12))
    assert (result.finding.verdict, result.finding.reason) == (text, "")
    assert result.estimate.low <= math.exp(shift) <= result.estimate.high
    assert result.estimate.generations == 8


def test_an_interval_of_two_decades_is_none():
    chance = np.random.default_rng(1)
    result = compare_apart(recorded(chance, 0.0), recorded(chance, 0.0, process=4.0))
    assert result.finding.overruled
    assert result.finding.reason == "its generations lie too far apart"


def test_a_day_that_slows_both_a_little_is_divided_out():
    chance = np.random.default_rng(2)
    result = compare_apart(recorded(chance, 0.0), recorded(chance, 0.0, day=0.015))
    assert abs(math.log(result.estimate.value)) < 0.008
    assert result.finding.verdict == Verdict.SAME


def test_a_control_arm_that_moved_leaves_it_undecided():
    chance = np.random.default_rng(3)
    result = compare_apart(recorded(chance, 0.0), recorded(chance, 0.3, day=0.1))
    assert result.finding.verdict == Verdict.UNDECIDED
    assert "control arm moved by +10" in result.finding.reason


def test_between_machines_there_is_a_ratio_of_plain_times_and_no_verdict():
    chance = np.random.default_rng(4)
    result = compare_apart(
        recorded(chance, 0.0), recorded(chance, 0.7, control=-0.5, machine="other")
    )
    assert result.finding is None
    assert result.estimate.low <= math.exp(0.7) <= result.estimate.high


@pytest.mark.parametrize("side", ["old", "new"])
def test_without_a_control_arm(side):
    chance = np.random.default_rng(5)
    runs = {"old": recorded(chance, 0.0), "new": recorded(chance, 0.5)}
    runs[side] = Recorded(runs[side].visits, None, "m")
    result = compare_apart(**runs)
    assert result.finding.verdict == Verdict.UNDECIDED
    assert f"the {side} run holds no control arm" in result.finding.reason
    assert result.estimate.value == pytest.approx(math.exp(0.5), rel=0.02)


def test_one_generation_on_a_side_gives_no_interval():
    chance = np.random.default_rng(6)
    result = compare_apart(recorded(chance, 0.0, generations=1), recorded(chance, 0.5))
    assert result.finding.verdict == Verdict.UNDECIDED
    assert "one generation" in result.finding.reason
    assert math.isnan(result.estimate.low)
    assert result.estimate.value == pytest.approx(math.exp(0.5), rel=0.03)


def flagged(run, flags):
    """The run with contention flags on its cell, and the rounds that they drop."""
    cell = visits(run.visits.call_s, 8, 20, flags)
    return Recorded(cell, run.control, run.machine_id, contended_rounds([cell]))


def test_contended_rounds_are_dropped_and_doubted_if_they_matter():
    chance = np.random.default_rng(7)
    old, new = recorded(chance, 0.0), recorded(chance, 0.0)
    flags = np.tile([0] * 8 + [1] * 12, 8)
    burst = visits(new.visits.call_s * np.where(flags, 3.0, 1.0), 8, 20)
    result = compare_apart(old, flagged(Recorded(burst, new.control, "m"), flags))
    assert result.estimate.value == pytest.approx(1, abs=0.01)
    assert result.everything.value > 2
    assert result.finding.verdict == Verdict.UNDECIDED
    assert "contention" in result.finding.reason
    assert compare_apart(old, flagged(new, flags)).finding.verdict == Verdict.SAME


def test_nothing_left_after_dropping():
    chance = np.random.default_rng(8)
    result = compare_apart(recorded(chance, 0.0), flagged(recorded(chance, 0.0), 1))
    assert result.finding.verdict == Verdict.UNDECIDED
    assert "no round, free of contention" in result.finding.reason


def test_welch_agrees_with_its_published_form():
    from scipy import stats

    chance = np.random.default_rng(9)
    old, new = chance.normal(0, 1, 5), chance.normal(0.3, 3, 9)
    interval = stats.ttest_ind(new, old, equal_var=False).confidence_interval(0.95)
    estimate = welch_ratio(old, new)
    assert (estimate.low, estimate.high) == pytest.approx(
        (math.exp(interval.low), math.exp(interval.high))
    )


def test_welch_covers_the_truth_with_unequal_spreads():
    chance = np.random.default_rng(10)
    trials = 1500
    estimates = [
        welch_ratio(chance.normal(0, 0.01, 4), chance.normal(0.1, 0.04, 9)) for _ in range(trials)
    ]
    hits = sum(one.low <= math.exp(0.1) <= one.high for one in estimates)
    assert within_binomial_bounds(hits, trials, 0.95), hits / trials


def test_welch_without_spread_or_without_data():
    assert welch_ratio([0.0, 0.0], [1.0, 1.0]).low == pytest.approx(math.e)
    assert math.isnan(welch_ratio([], [1.0]).value)
    assert NOTHING.size == 0


BETWEEN, WITHIN, GENERATIONS, CELLS, HISTORY = 0.015, 0.005, 6, 14, 8
"""Standard deviations of a run's log time and of a generation's within it,
and the size of a store.
"""


def logs(chance, run_effect):
    """Log times of one cell in one run, one a generation."""
    return run_effect + WITHIN * chance.standard_normal(GENERATIONS)


def store_of_runs(chance):
    """Log times by run of every cell: what makes a run differ is the same for all of its cells."""
    effects = BETWEEN * chance.standard_normal(HISTORY)
    return [times_by_run(chance, effects) for _ in range(CELLS)]


def times_by_run(chance, effects):
    return {str(run): logs(chance, effect) for run, effect in enumerate(effects)}


def coverage(widened, trials=600):
    """Share of intervals of two equal runs that hold 1."""
    chance, hits = np.random.default_rng(17), 0
    for _ in range(trials):
        spread = spread_between(store_of_runs(chance)) if widened else None
        old, new = (logs(chance, BETWEEN * chance.standard_normal()) for _ in range(2))
        estimate = welch_ratio(old, new, spread=spread)
        hits += estimate.low <= 1 <= estimate.high
    return hits, trials


def test_with_the_spread_between_runs_the_interval_covers_the_truth():
    assert within_binomial_bounds(*coverage(widened=True), 0.95)


def test_without_it_the_interval_is_too_narrow():
    hits, trials = coverage(widened=False)
    assert hits / trials < 0.6


def test_the_spread_is_what_the_runs_own_errors_do_not_explain():
    """Means 0, 2 and 4: squares about the mean 8; each run's error 1 / 2; (8 - 2 / 2) / 2 = 3.5."""
    runs = {
        name: [mean - math.sqrt(0.5), mean + math.sqrt(0.5)]
        for name, mean in (("a", 0.0), ("b", 2.0), ("c", 4.0))
    }
    far = {name: [50.0, 50.0] for name in "de"}
    spread = spread_between([runs, far])
    assert spread == Spread(pytest.approx(math.sqrt((8 - 1) / 3)), LEAST_RUNS)


def test_runs_that_differ_by_less_than_their_errors_have_no_spread():
    runs = {str(number): [0.0, 1.0] for number in range(LEAST_RUNS)}
    assert spread_between([runs]) == Spread(0.0, LEAST_RUNS)


def test_too_few_runs_tell_no_spread():
    runs = {str(number): [0.0, 1.0] for number in range(LEAST_RUNS - 1)}
    alone = {"another": [0.0, 1.0]}
    assert spread_between([runs, alone]) is None


def test_no_run_is_no_spread():
    assert spread_between([]) is None


def test_between_machines_the_spread_of_one_has_no_say():
    chance = np.random.default_rng(4)
    runs = recorded(chance, 0.0), recorded(chance, 0.0, machine="other")
    assert compare_apart(*runs, spread=Spread(0.5, 9)).estimate == compare_apart(*runs).estimate
