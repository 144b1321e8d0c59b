import math

import numpy as np
import pytest
from dnnbench.stats.estimates import (
    Estimate,
    contended_rounds,
    log_pairs,
    ratio,
)
from dnnbench.stats.stopping import enough
from dnnbench.stats.verdict import Finding, Verdict, control_doubt, drift_doubt, judge, place
from helpers.visits import noise, pairs_of, simulated, visits, within_binomial_bounds

THETA = 0.02


def verdict_on(pairs, **options):
    return judge(pairs, ratio(pairs), **options)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.021, 1.5, Verdict.SLOWER),
        (1.02, 1.5, Verdict.UNDECIDED),
        (0.9, 0.98, Verdict.FASTER),
        (0.9, 0.981, Verdict.UNDECIDED),
        (1 / 1.02, 1.02, Verdict.SAME),
        (0.98, 1.0, Verdict.UNDECIDED),
        (1.0, 1.021, Verdict.UNDECIDED),
        (0.5, 2.0, Verdict.UNDECIDED),
        (math.nan, math.nan, Verdict.UNDECIDED),
    ],
)
def test_where_an_interval_lies(low, high, text):
    assert place(Estimate(1.0, low, high, 6), THETA).verdict == text


@pytest.mark.parametrize(
    ("shift", "text"), [(0.05, Verdict.SLOWER), (-0.05, Verdict.FASTER), (0.0, Verdict.SAME)]
)
def test_a_clear_case_is_called(shift, text):
    assert verdict_on(pairs_of(shift + noise(240), 6, 40)) == Finding(text)


def test_undecided_says_what_could_have_been_seen():
    verdict = verdict_on(pairs_of(np.repeat([0.0, 0.05, 0.1], 10) + noise(30), 3, 10))
    assert verdict.verdict == Verdict.UNDECIDED
    assert "crosses ±2.0%" in verdict.reason
    assert "differences from" in verdict.reason


def test_one_generation_gives_no_interval():
    assert verdict_on(pairs_of(0.5 + noise(40), 1, 40)) == Finding(
        Verdict.UNDECIDED, "one generation gives no interval"
    )


def test_no_round_at_all():
    assert "never visited" in verdict_on(pairs_of([], 0, 0)).reason
    assert (
        "every round met contention" in verdict_on(pairs_of(0.5, 3, 4, clean=[False] * 12)).reason
    )


def test_contention_that_moves_the_estimate_demotes():
    moved = np.tile([0.05] * 8 + [0.9] * 12, 6) + noise(120)
    verdict = verdict_on(pairs_of(moved, 6, 20, clean=np.tile([True] * 8 + [False] * 12, 6)))
    assert verdict.verdict == Verdict.UNDECIDED
    assert verdict.reason.startswith("contention: 1.05")
    harmless = pairs_of(0.05 + noise(120), 6, 20, clean=np.tile([True] * 8 + [False] * 12, 6))
    assert verdict_on(harmless).verdict == Verdict.SLOWER


def test_who_comes_first_is_part_of_the_estimate_and_no_doubt():
    """Coming later is worth 4 %, to the arm and to the base alike, as the first arm's caches are
    to the second.
    """
    later = np.arange(240) % 2 == 0
    seen = np.where(later, 0.04, -0.04)
    assert (
        verdict_on(pairs_of(0.05 + seen + noise(240), 6, 40, arm_later=later)).verdict
        == Verdict.SLOWER
    )
    assert (
        verdict_on(pairs_of(seen + noise(240, 0.002), 6, 40, arm_later=later)).verdict
        == Verdict.SAME
    )


def test_an_arm_that_always_comes_second_is_judged():
    assert (
        verdict_on(pairs_of(0.2 + noise(240), 6, 40, arm_later=[True] * 240)).verdict
        == Verdict.SLOWER
    )


def test_a_drift_within_generations_demotes():
    drift = np.tile(np.linspace(0, 0.02, 40), 6)
    verdict = verdict_on(pairs_of(0.02 + drift + noise(240), 6, 40))
    assert verdict.verdict == Verdict.UNDECIDED
    assert "drift" in verdict.reason
    assert "within generations" in verdict.reason
    assert verdict_on(pairs_of(0.04 - drift + noise(240), 6, 40)).verdict == Verdict.UNDECIDED
    assert verdict_on(pairs_of(0.2 + drift + noise(240), 6, 40)).verdict == Verdict.SLOWER


@pytest.mark.parametrize("rounds", [2, 3, 5])
def test_few_rounds_without_a_drift_seldom_show_one(rounds):
    """At 1 %, 300 trials give more than 10 alarms once in 2,000 times.

    N - 2 degrees of freedom gave 32 at two rounds.
    """
    trials = [
        pairs_of(np.random.default_rng(seed).normal(0, 0.01, 6 * rounds), 6, rounds)
        for seed in range(300)
    ]
    edge = Estimate(1.03, 1.0201, 1.04, 6)
    assert sum("within" in drift_doubt(pairs, edge) for pairs in trials) <= 10


def test_a_drift_from_generation_to_generation_demotes():
    drift = np.repeat(np.linspace(0, 0.05, 6), 40)
    verdict = verdict_on(pairs_of(0.02 + drift + noise(240), 6, 40))
    assert verdict.verdict == Verdict.UNDECIDED
    assert "from generation to generation" in verdict.reason
    assert verdict_on(pairs_of(0.2 + drift + noise(240), 6, 40)).verdict == Verdict.SLOWER


def test_processes_of_different_speed_are_no_drift():
    """Three processes in rising order of speed: rho of the pooled rounds is 0.94,
    and means nothing.
    """
    assert (
        verdict_on(
            pairs_of(0.2 + np.repeat([0.0, 0.01, 0.02], 40) + noise(120, 0.001), 3, 40)
        ).verdict
        == Verdict.SLOWER
    )


def test_equal_times_have_no_drift():
    assert verdict_on(pairs_of(0.0, 6, 40)).verdict == Verdict.SAME


@pytest.mark.parametrize(
    ("low", "high", "doubted"),
    [(1.03, 1.05, True), (0.9, 0.95, True), (0.99, 1.01, False), (0.9, 1.1, False)],
)
def test_a_control_arm_that_moved_for_certain_demotes(low, high, doubted):
    control = Estimate((low + high) / 2, low, high, 6)
    assert bool(control_doubt(control, THETA)) == doubted
    verdict = verdict_on(pairs_of(0.2 + noise(240), 6, 40), control=control)
    assert verdict.verdict == (Verdict.UNDECIDED if doubted else Verdict.SLOWER)
    assert ("control arm" in verdict.reason) == doubted


def test_a_planted_five_percent_is_called_slower_with_enough_generations():
    chance = np.random.default_rng(7)
    texts = [
        verdict_on(log_pairs(*simulated(chance, 12, 30, math.log(1.05), process=0.01))).verdict
        for _ in range(200)
    ]
    assert texts.count(Verdict.SLOWER) >= 190
    assert Verdict.FASTER not in texts
    assert Verdict.SAME not in texts


@pytest.mark.parametrize("generations", [2, 3, 6])
@pytest.mark.parametrize("shared", [0.0, 0.3])
def test_identical_arms_are_called_different_no_oftener_than_the_level_allows(generations, shared):
    chance = np.random.default_rng(8)
    trials = 400
    pairs = [log_pairs(*simulated(chance, generations, 20, shared=shared)) for _ in range(trials)]
    strict = [verdict_on(one, theta=0.0).verdict for one in pairs]
    alarms = sum(text in (Verdict.SLOWER, Verdict.FASTER) for text in strict)
    assert alarms <= 0.05 * trials + 4 * math.sqrt(trials * 0.05 * 0.95)
    assert (
        sum(verdict_on(one).verdict in (Verdict.SLOWER, Verdict.FASTER) for one in pairs) < alarms
    )


def test_honest_data_is_seldom_demoted():
    chance = np.random.default_rng(9)
    trials = 300
    texts = [verdict_on(log_pairs(*simulated(chance, 6, 30, 0.5))).verdict for _ in range(trials)]
    assert texts.count(Verdict.UNDECIDED) <= 0.03 * trials


def test_flags_reach_the_verdict_through_the_frame_of_visits():
    arm = visits([1.1, 1.1, 9, 1.1, 1.1, 9], 2, 3, flags=[0, 0, 1, 0, 0, 1])
    base = visits(1, 2, 3)
    pairs = log_pairs(arm, base, contended_rounds([arm, base]))
    assert ratio(pairs).dropped == 2
    assert verdict_on(pairs).verdict == Verdict.SLOWER


STEADY = [0.001, -0.001] * 4


@pytest.mark.parametrize(
    ("effects", "stop"),
    [
        (STEADY[:5], False),
        (STEADY[:6], False),
        (STEADY[:7], True),
        ([0.9, *STEADY[:6]], False),
        ([*STEADY[:6], 0.9], False),
        ([*STEADY[:6], 0.02], True),
        ([*STEADY[:6], 0.03], False),
        ([0.011, -0.011, 0.011, -0.011, 0.0, 0.0, 0.0, 0.0], True),
        ([], False),
    ],
)
def test_stopping_needs_two_precise_looks_from_the_sixth_generation_on(effects, stop):
    assert enough(effects, 0.01) is stop


def test_stopping_on_precision_keeps_the_intervals_coverage():
    chance = np.random.default_rng(10)
    trials, hits = 1500, 0
    for _ in range(trials):
        effects = list(chance.normal(0, 0.012, 40))
        stop = next((g for g in range(6, 41) if enough(effects[:g], 0.01)), 40)
        mean = np.mean(effects[:stop])
        half = ratio(pairs_of(effects[:stop], stop, 1)).estimate
        hits += math.log(half.low) <= 0 <= math.log(half.high)
        assert math.isclose(mean, math.log(half.value), abs_tol=1e-12)
    assert within_binomial_bounds(hits, trials, 0.95), hits / trials
