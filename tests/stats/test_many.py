"""Many workloads in one number: simulated ratios whose truth is known."""

import math

import numpy as np
import pytest
from dnnbench.stats import many
from dnnbench.stats.many import (
    LEAST_FAMILIES,
    among_families,
    by_generation,
    geometric_mean,
    geometric_mean_apart,
)
from helpers.visits import pairs_of, within_binomial_bounds

TRIALS = 400


def units(values):
    return dict(enumerate(values))


def test_the_mean_of_logs_is_taken_within_each_generation():
    """Workloads differ by far more than generations, which is no error of their mean."""
    shared = np.array([-0.01, 0.0, 0.01])
    estimate = geometric_mean([units(math.log(2) + shared), units(math.log(8) + shared)])
    half = 4.303 * 0.01 / math.sqrt(3)
    assert estimate.value == pytest.approx(4)
    assert (estimate.low, estimate.high) == pytest.approx(
        (4 * math.exp(-half), 4 * math.exp(half)), rel=1e-4
    )
    assert estimate.generations == 3


def test_generations_that_a_workload_lacks_are_left_out():
    estimate = geometric_mean([{0: 0.0, 1: 0.0, 2: 9.0}, {0: 0.2, 1: 0.2}])
    assert estimate.value == pytest.approx(math.exp(0.1))
    assert estimate.generations == 2


def test_workloads_without_a_common_generation_have_a_mean_and_no_interval():
    estimate = geometric_mean([{0: 0.1, 1: 0.3}, {2: 0.4}])
    assert estimate.value == pytest.approx(math.exp(0.3))
    assert math.isnan(estimate.low)


def test_runs_apart_are_compared_by_welch_on_their_means():
    before = [units([0.0, 0.02]), units([1.0, 1.02])]
    after = [units([0.5, 0.52, 0.54]), units([1.5, 1.52, 1.54])]
    estimate = geometric_mean_apart(before, after)
    assert estimate.value == pytest.approx(math.exp(0.51))
    assert estimate.low < math.exp(0.51) < estimate.high


def test_its_interval_holds_the_truth_as_often_as_it_says():
    draw, hits = np.random.default_rng(3), 0
    for _ in range(TRIALS):
        speed = draw.normal(0, 0.02, 6)
        workloads = [units(level + speed + draw.normal(0, 0.005, 6)) for level in (0.2, 0.9, 1.6)]
        estimate = geometric_mean(workloads)
        hits += estimate.low <= math.exp(0.9) <= estimate.high
    assert within_binomial_bounds(hits, TRIALS, 0.95)


def sample_of_families(draw, count):
    """Families differ by 0.3, networks of one family by 0.1; the true mean is 0."""
    own = draw.normal(0, 0.3, count)
    sizes = draw.integers(1, 4, count)
    return {str(i): list(own[i] + draw.normal(0, 0.1, sizes[i])) for i in range(count)}


@pytest.mark.parametrize("count", [LEAST_FAMILIES, 20])
def test_the_interval_over_families_holds_the_truth(monkeypatch, count):
    """93 % with eight families, 95 % with twenty; percentile and BCa intervals reach 86 %."""
    monkeypatch.setattr(many, "RESAMPLES", 1000)
    draw, hits = np.random.default_rng(1), 0
    for _ in range(TRIALS):
        estimate = among_families(sample_of_families(draw, count))
        hits += estimate.low <= 1 <= estimate.high
    assert hits / TRIALS > 0.90


def test_more_sizes_of_the_same_networks_tell_nothing_more():
    """Four sizes of each of nine networks; as thirty-six networks they would halve the interval."""
    values = np.random.default_rng(2).normal(0, 0.3, 9)
    single = {str(i): [value] for i, value in enumerate(values)}
    repeated = {name: logs * 4 for name, logs in single.items()}
    apart = {f"{name}.{i}": logs for name, logs in single.items() for i in range(4)}
    assert among_families(repeated).high == pytest.approx(among_families(single).high)
    assert among_families(apart).high - 1 < 0.7 * (among_families(single).high - 1)


def test_few_families_have_a_mean_and_no_interval():
    estimate = among_families({str(i): [0.1] for i in range(LEAST_FAMILIES - 1)})
    assert estimate.value == pytest.approx(math.exp(0.1))
    assert math.isnan(estimate.high)


def test_equal_families_have_an_interval_of_one_point():
    estimate = among_families({str(i): [0.5, 0.5] for i in range(9)})
    assert estimate.low == estimate.high == pytest.approx(math.exp(0.5))


def test_effects_keep_the_numbers_of_their_generations():
    pairs = pairs_of([0.1] * 4 + [0.3] * 4 + [0.7] * 4, 3, 4, clean=[False] * 4 + [True] * 8)
    assert by_generation(pairs) == pytest.approx({1: 0.3, 2: 0.7})
