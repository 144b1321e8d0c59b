"""Quantiles, tails and rank correlations, held against scipy.stats."""

import numpy as np
import pytest
from dnnbench.stats.distributions import chi2_quantile, ranks, spearman, t_quantile, t_tail
from scipy import stats

PROBABILITIES = (1e-9, 0.025, 0.3, 0.5, 0.975, 1 - 1e-9)
FREEDOMS = (1, 2, 3, 7.5, 63)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("probability", PROBABILITIES)
def test_quantiles_are_those_of_scipy_stats(probability, freedom):
    assert t_quantile(probability, freedom) == stats.t.ppf(probability, freedom)
    assert chi2_quantile(probability, freedom) == stats.chi2.ppf(probability, freedom)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("x", (-40.0, -1.0, 0.0, 2.5, 40.0))
def test_tails_are_those_of_scipy_stats(x, freedom):
    assert t_tail(x, freedom) == stats.t.sf(x, freedom)


@pytest.mark.parametrize("ties", (False, True))
@pytest.mark.parametrize("count", (3, 4, 30, 301))
def test_spearmans_correlation_is_that_of_scipy_stats(count, ties):
    rng = np.random.default_rng(count)
    x, y = np.arange(count), rng.normal(size=count)
    if ties:
        y = np.round(y)
    expected = stats.spearmanr(x, y)
    rho, p = spearman(x, y)
    assert rho == pytest.approx(expected.statistic, abs=1e-12)
    assert p == pytest.approx(expected.pvalue, abs=1e-9)


@pytest.mark.parametrize("sign", (1, -1))
def test_what_only_rises_or_falls_correlates_wholly(sign):
    assert spearman(np.arange(9), sign * np.arange(9.0) ** 3) == pytest.approx((sign, 0.0))


def test_equal_values_share_their_mean_rank():
    assert ranks(np.array([5.0, 1.0, 5.0, 3.0])).tolist() == [3.5, 1.0, 3.5, 2.0]
