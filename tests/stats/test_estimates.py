"""Estimates and verdicts on simulated visits whose truth is known."""

import math

import numpy as np
import pandas as pd
import pytest
from dnnbench.errors import UsageError
from dnnbench.stats.estimates import (
    Estimate,
    Pairs,
    Visits,
    absolute_time,
    by_cell,
    contended_rounds,
    log_pairs,
    mean_interval,
    ratio,
    second_pairs,
    smallest_difference,
    spoilt_generations,
    time_difference,
    training_steps,
)
from helpers.visits import pairs_of, simulated, visits, within_binomial_bounds

SIMULATIONS = 1500


@pytest.mark.parametrize("generations", [2, 3, 6, 12])
def test_the_interval_covers_the_truth_at_its_nominal_rate(generations):
    chance = np.random.default_rng(generations)
    truth = 0.03
    estimates = [
        ratio(log_pairs(*simulated(chance, generations, 5, truth))).estimate
        for _ in range(SIMULATIONS)
    ]
    hits = sum(one.low <= math.exp(truth) <= one.high for one in estimates)
    assert within_binomial_bounds(hits, SIMULATIONS, 0.95), hits / SIMULATIONS


@pytest.mark.parametrize("later_rounds", [2, 5, 8])
def test_an_effect_of_order_cancels_however_often_each_order_came(later_rounds):
    """Coming later costs either side 10 %; of ten rounds the arm came later in some."""
    later = np.arange(10) < later_rounds
    seen = np.where(later, 0.1, -0.1) + 0.03
    pairs = Pairs(np.zeros(10, int), np.arange(10), seen, later, np.ones(10, bool))
    assert pairs.effects() == pytest.approx([0.03])


def test_where_only_one_order_came_its_median_counts():
    one_order = Pairs(
        np.zeros(3, int),
        np.arange(3),
        np.array([0.1, 0.3, 0.2]),
        np.ones(3, bool),
        np.ones(3, bool),
    )
    assert one_order.effects() == pytest.approx([0.2])


def test_the_order_of_two_phases_says_nothing_of_their_difference():
    outer = visits([3e-3, 5e-3, 9e-3], 1, 3, position=[0, 1, 1])
    inner = visits(1e-3, 1, 3, position=[1, 0, 0])
    assert second_pairs(outer, inner).effects() == pytest.approx([4e-3])


@pytest.mark.parametrize("generations", [3, 6])
def test_so_does_the_interval_of_an_absolute_time(generations):
    chance = np.random.default_rng(generations)
    estimates = [absolute_time(simulated(chance, generations, 5)[0]) for _ in range(SIMULATIONS)]
    hits = sum(one.low <= 1e-3 <= one.high for one in estimates)
    assert within_binomial_bounds(hits, SIMULATIONS, 0.95), hits / SIMULATIONS


def test_pooled_rounds_would_not_cover():
    """Why the generation is the unit: the same data with every round taken
    for an independent sample.
    """
    chance = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        mean, half = mean_interval(log_pairs(*simulated(chance, 3, 30)).difference)
        hits += abs(mean) <= half
    assert hits / 300 < 0.5


def test_a_disturbance_that_a_round_shares_cancels():
    calm, rough = (
        ratio(log_pairs(*simulated(np.random.default_rng(1), 6, 40, shared=shared))).effects
        for shared in (0.0, 3.0)
    )
    assert np.allclose(calm, rough, rtol=0, atol=1e-12)


def test_an_absolute_time_is_the_median_over_generations_of_medians():
    estimate = absolute_time(visits([1, 2, 99, 4, 4, 4, 9, 5, 9], 3, 3))
    logs = np.log([2, 4, 9])
    half = 4.302652729911275 * logs.std(ddof=1) / math.sqrt(3)
    assert estimate.value == 4
    assert estimate.generations == 3
    assert (estimate.low, estimate.high) == pytest.approx(
        (math.exp(logs.mean() - half), math.exp(logs.mean() + half))
    )


def test_a_ratio_is_exp_of_the_mean_over_generations_of_the_median_paired_difference():
    arm = visits([2, 2, 8, 3, 3, 3], 2, 3)
    base = visits([1, 2, 2, 1, 1, 3], 2, 3)
    result = ratio(log_pairs(arm, base))
    assert result.effects == pytest.approx((math.log(2), math.log(3)))
    assert result.estimate.value == pytest.approx(math.sqrt(6))
    half = 12.706204736174694 * np.std(result.effects, ddof=1) / math.sqrt(2)
    assert result.estimate.low == pytest.approx(math.sqrt(6) * math.exp(-half))
    assert (result.rounds, result.dropped, result.estimate.generations) == (6, 0, 2)


def test_only_rounds_that_both_were_visited_in_are_paired():
    base = visits(np.arange(1, 9), 2, 4)
    thinned = base.without(base.keys[[1, 3, 5, 7]])
    pairs = log_pairs(thinned, base)
    assert pairs.round.tolist() == [0, 2, 0, 2]
    assert not pairs.difference.any()


def test_the_order_of_rows_does_not_matter():
    arm, base = simulated(np.random.default_rng(2), 3, 10)
    shuffle = np.random.default_rng(3).permutation(30)
    assert ratio(
        log_pairs(Visits(*(column[shuffle] for column in vars(arm).values())), base)
    ) == ratio(log_pairs(arm, base))


def test_a_contended_round_is_dropped_for_all_arms_and_the_rest_is_reported_beside():
    arm = visits([1, 1, 9, 1, 1, 1], 2, 3)
    base = visits(1, 2, 3, flags=[0, 0, 1, 0, 0, 0])
    other = visits(1, 2, 3, flags=[0, 0, 0, 4, 8, 0])
    dropped = contended_rounds([arm, base, other])
    result = ratio(log_pairs(arm, base, dropped))
    assert (result.rounds, result.dropped, result.effects) == (6, 2, (0.0, 0.0))
    assert absolute_time(arm, dropped).value == 1
    assert [int(key) & 0xFFFFFFFF for key in dropped] == [2, 0]


def test_dropping_by_flag_changes_the_estimate_but_not_everything():
    flags = np.array([0, 1, 1, 0, 2, 2])
    arm = visits([1, 5, 5, 1, 5, 5], 2, 3, flags)
    result = ratio(log_pairs(arm, visits(1, 2, 3), contended_rounds([arm])))
    assert result.estimate.value == 1
    assert result.everything.value == pytest.approx(5)


def test_a_generation_left_with_under_half_its_rounds_is_spoilt():
    flags = [1, 1, 0, 0, 1, 1, 1, 0, 8, 8, 8, 8, 1, 2, 4, 7]
    assert spoilt_generations([visits(1, 4, 4, flags)]) == [1, 3]
    assert spoilt_generations([visits(1, 1, 4, [1, 0, 0, 0]), visits(1, 1, 4, [0, 4, 2, 0])]) == [0]
    assert spoilt_generations([]) == []


def test_a_generation_without_a_clean_round_gives_no_number():
    arm = visits([1, 1, 2, 2, 3, 3], 3, 2, [0, 0, 1, 1, 0, 0])
    assert absolute_time(arm, contended_rounds([arm])).generations == 2


def test_nothing_measured_is_nan_everywhere():
    empty = visits([], 0, 0)
    result = ratio(log_pairs(empty, empty))
    assert math.isnan(result.estimate.value)
    assert result.estimate.generations == 0
    assert math.isnan(absolute_time(empty).value)


def test_one_generation_gives_a_value_and_no_interval():
    estimate = absolute_time(visits([1, 2, 3], 1, 3))
    assert estimate.value == 2
    assert math.isnan(estimate.low)
    assert math.isnan(estimate.high)
    assert estimate.generations == 1


def test_two_visits_of_a_cell_in_one_round_are_refused():
    twice = Visits(*(np.array([0, 0]) for _ in range(3)), np.array([1.0, 2.0]), np.array([0, 0]))
    with pytest.raises(UsageError, match="generation 0, round 0"):
        log_pairs(twice, twice)


def test_the_steps_of_training_are_differences_within_a_round():
    chance = np.random.default_rng(4)
    disturbance = chance.normal(0, 1e-2, 60)
    at = {"forward": 1.0, "loss": 1.5, "gradients": 4.5, "train_step": 4.25}
    phases = {phase: visits(seconds + disturbance, 3, 20) for phase, seconds in at.items()}
    steps = training_steps(phases)
    assert steps["forward pass"] == absolute_time(phases["forward"])
    for step, seconds in {
        "loss calculation": 0.5,
        "backpropagation": 3.0,
        "weight update": -0.25,
    }.items():
        assert steps[step].value == pytest.approx(seconds)
        assert steps[step].generations == 3
        assert steps[step].low <= steps[step].value <= steps[step].high
    assert list(training_steps({"loss": phases["loss"], "gradients": phases["gradients"]})) == [
        "backpropagation"
    ]


def test_a_differences_interval_covers_the_truth():
    chance = np.random.default_rng(5)
    hits = 0
    for _ in range(SIMULATIONS):
        speeds = np.repeat(chance.normal(0, 0.1, (2, 4)), 5, axis=1)
        outer, inner = (
            visits(mean + speed + chance.normal(0, 0.05, 20), 4, 5)
            for mean, speed in zip((3.0, 2.9), speeds, strict=True)
        )
        difference = time_difference(outer, inner)
        hits += difference.low <= 0.1 <= difference.high
    assert within_binomial_bounds(hits, SIMULATIONS, 0.95), hits / SIMULATIONS


def test_the_smallest_difference_is_seen_four_times_in_five():
    chance = np.random.default_rng(6)
    theta, spread, generations = 0.02, 0.01, 8
    scale = (
        np.array([-1, 1] * (generations // 2)) * spread * math.sqrt((generations - 1) / generations)
    )
    truth = math.log1p(smallest_difference(scale, theta))
    hits = 0
    for _ in range(SIMULATIONS):
        mean, half = mean_interval(chance.normal(truth, spread, generations))
        hits += mean - half > math.log1p(theta)
    assert 0.75 < hits / SIMULATIONS < 0.85, hits / SIMULATIONS
    assert math.isnan(smallest_difference([0.1], theta))


def test_the_stores_frame_becomes_cells():
    frame = pd.DataFrame(
        {
            "cell_id": ["a", "b", "a"],
            "generation": [0, 0, 1],
            "round": [0, 0, 3],
            "position": [0, 1, 2],
            "k": [10, 1, 5],
            "seconds": [1.0, 3.0, 1.0],
            "flags": [0, 1, 8],
        }
    )
    cells = by_cell(frame)
    assert cells["a"].call_s.tolist() == [0.1, 0.2]
    assert cells["b"].flags.tolist() == [1]
    assert cells["a"].round.tolist() == [0, 3]
    assert cells["a"].position.tolist() == [0, 2]


def test_an_estimate_cannot_be_changed():
    with pytest.raises(AttributeError):
        Estimate(1.0, 0.9, 1.1, 3).value = 2.0


@pytest.mark.parametrize("later_share", [0.0, 0.3, 1.0])
def test_medians_of_many_groups_at_once_are_numpys_to_the_last_bit(later_share):
    """Odd and even counts, groups of one order, rounds in no order."""
    chance = np.random.default_rng(5)
    generation = chance.permutation(np.repeat([0, 2, 3], [7, 12, 1]))
    later = chance.random(20) < later_share
    values = chance.normal(size=20)
    pairs = Pairs(generation, np.arange(20), values, later, np.ones(20, bool))
    orders = [
        [values[(generation == g) & (later == side)] for side in (True, False)] for g in (0, 2, 3)
    ]
    expected = [np.mean([np.median(one) for one in pair if len(one)]) for pair in orders]
    assert pairs.effects().tolist() == expected


def test_a_median_over_what_is_no_number_is_none():
    pairs = pairs_of([0.1, math.nan, 0.3, 0.1, 0.2, 0.3], 2, 3, arm_later=[True] * 6)
    assert np.isnan(pairs.effects()).tolist() == [True, False]
