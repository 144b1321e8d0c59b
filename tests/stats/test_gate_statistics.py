"""What a gate flags and confirms of visits, and how often it errs."""

import math

import numpy as np
import pytest
from dnnbench.stats.estimates import Estimate, ratio, smallest_difference
from dnnbench.stats.gate import (
    FlaggedCell,
    confirm,
    holm,
    is_flagged,
    slower_p,
)
from dnnbench.stats.verdict import Finding, Verdict, place
from helpers.gates import ALPHA, THETA
from helpers.visits import noise, pairs_of
from scipy import stats

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


def twice(chance, truths):
    """Places of the cells that a gate confirms slower in either of two confirmations."""
    cells = range(len(truths))
    first = confirm([FlaggedCell(recorded(chance, truths[i])) for i in cells], THETA, ALPHA / 2)
    left = [i for i, one in zip(cells, first, strict=True) if one.is_undecided(THETA)]
    again = confirm([FlaggedCell(recorded(chance, truths[i])) for i in left], THETA, ALPHA / 2)
    found = [*zip(cells, first, strict=True), *zip(left, again, strict=True)]
    return {i for i, one in found if one.confirmed}


@pytest.mark.slow
def test_two_confirmations_together_raise_a_false_alarm_at_most_as_often_as_alpha_says():
    """Of cells that are all as slow as is allowed, and all flagged: where they err most."""
    chance, trials = np.random.default_rng(7), 400
    found = sum(bool(twice(chance, [1 + THETA] * 4)) for _ in range(trials))
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
