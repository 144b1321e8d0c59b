"""Percentiles of single calls, with intervals that assume no shape of their distribution."""

import math

import numpy as np

from .estimates import LEVEL, Estimate

LEAST_FOR = {0.5: 1, 0.9: 100, 0.99: 1000}
"""Calls from which on a percentile is told: ten of them lie beyond it."""


def percentile(calls_s: np.ndarray, share: float, level: float = LEVEL) -> Estimate:
    """The share's quantile of calls, and the order statistics between which the truth lies.

        value = x_(ceil(n q)),   [x_(l), x_(u)] with  P(l <= B < u) >= level,  B ~ Binomial(n, q)

    Exact for calls that are drawn from one distribution; no limit where x_(u) would lie beyond the
    largest call.  Source: H. A. David, Order Statistics (1970), 2.5.

    calls_s: (n,) seconds.  NaN below `LEAST_FOR` calls.
    """
    count = len(calls_s)
    if count < LEAST_FOR.get(share, 1):
        return Estimate(math.nan, math.nan, math.nan, 0)
    ordered = np.sort(calls_s)
    low, high = _ranks(count, share, level)
    value = float(ordered[max(math.ceil(count * share) - 1, 0)])
    bounded = low >= 1 and high <= count
    limits = (float(ordered[low - 1]), float(ordered[high - 1])) if bounded else (math.nan,) * 2
    return Estimate(value, *limits, 1)


def _ranks(count: int, share: float, level: float) -> tuple[int, int]:
    """(l, u), counted from 1: each tail of the binomial distribution below half of 1 - level."""
    from scipy.special import bdtr

    below = bdtr(np.arange(count + 1), count, share)  # P(B <= k)
    tail = (1 - level) / 2
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1 - tail, side="left")) + 1
    return low, high
