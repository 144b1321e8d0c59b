"""Percentiles of single calls: simulated ones, whose truth is known."""

import math

import numpy as np
import pytest
from dnnbench.stats.percentiles import LEAST_FOR, percentile
from helpers.visits import within_binomial_bounds

TRIALS = 600


@pytest.mark.parametrize(("share", "count"), [(0.5, 101), (0.9, 300), (0.99, 1000), (0.99, 3000)])
def test_the_interval_holds_the_truth_as_often_as_it_says_or_more(share, count):
    """Calls with a tail as long as those of a busy machine."""
    draw, truth = np.random.default_rng(1), math.exp(quantile_of_normal(share))
    estimates = [percentile(draw.lognormal(size=count), share) for _ in range(TRIALS)]
    hits = sum(one.low <= truth <= one.high for one in estimates)
    assert hits / TRIALS >= 0.95 or within_binomial_bounds(hits, TRIALS, 0.95)


def quantile_of_normal(share):
    from scipy.special import ndtri

    return float(ndtri(share))


def test_the_interval_of_a_median_is_the_sign_tests():
    """Of ten values the second and the ninth: 97.9 %."""
    found = percentile(np.arange(1.0, 11.0), 0.5)
    assert (found.value, found.low, found.high) == (5, 2, 9)


@pytest.mark.parametrize("share", [0.9, 0.99])
def test_too_few_calls_tell_no_percentile(share):
    calls = np.ones(LEAST_FOR[share] - 1)
    assert math.isnan(percentile(calls, share).value)
    assert percentile(np.ones(LEAST_FOR[share]), share).value == 1
