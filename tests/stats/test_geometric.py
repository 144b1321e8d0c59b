"""Many workloads as one ratio: the geometric mean, and an interval that holds what it says."""

import math

import numpy as np
import pytest
from dnnbench.stats.estimates import Pairs, mean_interval
from dnnbench.stats.geometric import effects_by_generation, geometric_mean, mean_by_generation


def test_ratios_of_2_and_8_come_to_4():
    members = [{0: math.log(2), 1: math.log(2)}, {0: math.log(8), 1: math.log(8)}]
    assert geometric_mean(members).value == pytest.approx(4)


def test_workloads_that_differ_widen_no_interval():
    """Only what differs between generations does."""
    members = [{0: math.log(2), 1: math.log(2)}, {0: math.log(8), 1: math.log(8)}]
    assert geometric_mean(members).low == pytest.approx(4)


def test_a_generation_counts_that_every_workload_has():
    means = mean_by_generation([{0: 1.0, 1: 2.0, 3: 5.0}, {1: 4.0, 2: 9.0, 3: 1.0}])
    assert means == {1: 3.0, 3: 3.0}


def test_batch_sizes_of_a_workload_weigh_as_one():
    sizes = [{0: 1.0}, {0: 3.0}, {0: 5.0}]
    assert mean_by_generation([mean_by_generation(sizes), {0: 0.0}]) == {0: 1.5}


def test_one_generation_has_no_interval():
    one = geometric_mean([{0: math.log(3)}])
    assert one.value == pytest.approx(3)
    assert math.isnan(one.low)


def test_nothing_shared_is_no_number():
    assert math.isnan(geometric_mean([{0: 1.0}, {1: 1.0}]).value)
    assert math.isnan(geometric_mean([]).value)


def test_effects_keep_the_number_of_their_generation():
    """A generation of which no round is kept has none."""
    generation = np.array([0, 0, 4, 4, 7])
    later = np.array([True, False, True, False, True])
    clean = np.array([True, True, True, True, False])
    pairs = Pairs(generation, np.arange(5), np.array([1.0, 3.0, 5.0, 9.0, 0.0]), later, clean)
    assert effects_by_generation(pairs) == {0: 2.0, 4: 7.0}


def simulated(draw, shared, own, workloads=12, generations=6):
    """Log ratios whose mean is 0: what a generation has of its own, and what each workload adds."""
    common = draw.normal(scale=shared, size=generations)
    alone = draw.normal(scale=own, size=(workloads, generations))
    return [dict(enumerate(common + row)) for row in alone]


@pytest.mark.parametrize("shared", [0.0, 0.05])
def test_the_interval_covers_the_truth_19_times_in_20(shared):
    draw = np.random.default_rng(3)
    estimates = [geometric_mean(simulated(draw, shared, 0.03)) for _ in range(1000)]
    covered = np.mean([one.low <= 1 <= one.high for one in estimates])
    assert covered == pytest.approx(0.95, abs=0.021)  # three standard errors of 1,000 draws


def test_taken_as_independent_the_same_numbers_would_promise_too_much():
    """Why the generation is the unit: all workloads of one share its processes' speed."""
    draw = np.random.default_rng(4)
    covered = 0
    for _ in range(500):
        pooled = [value for member in simulated(draw, 0.05, 0.03) for value in member.values()]
        mean, half = mean_interval(pooled)
        covered += mean - half <= 0 <= mean + half
    assert covered < 0.7 * 500
