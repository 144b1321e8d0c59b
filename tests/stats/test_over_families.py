"""What measured workloads say of others: simulated families whose truth is known."""

import math

import numpy as np
import pytest
from dnnbench.stats import over_families
from dnnbench.stats.over_families import LEAST_FAMILIES, among_families

TRIALS = 200


def sample_of_families(draw, count):
    """Families differ by 0.3, networks of one family by 0.1; the true mean is 0."""
    own = draw.normal(0, 0.3, count)
    sizes = draw.integers(1, 4, count)
    return {str(i): list(own[i] + draw.normal(0, 0.1, sizes[i])) for i in range(count)}


@pytest.mark.parametrize("count", [LEAST_FAMILIES, 20])
def test_the_interval_over_families_holds_the_truth(monkeypatch, count):
    """93 % with eight families, 95 % with twenty; percentile and BCa intervals reach 86 %."""
    monkeypatch.setattr(over_families, "RESAMPLES", 500)
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
