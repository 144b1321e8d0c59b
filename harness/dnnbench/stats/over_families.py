"""The geometric mean of workloads that were not measured: what those that were say of them.

Of *these* workloads the only error is that of measuring, see `geometric`.  Of workloads *like*
these the error is that others were not measured: families of networks are drawn again.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .estimates import LEVEL, Estimate

LEAST_FAMILIES = 8
"""From which on a sample of families says anything of families that were not measured."""
RESAMPLES = 10_000
SEED = 0
"""Of the draws: the same data give the same interval."""


def among_families(families: Mapping[str, Sequence[float]], level: float = LEVEL) -> Estimate:
    """The geometric mean of workloads like these, by bootstrap over families.

        m = sum of all log ratios / their number,   [m - t*(high) se, m - t*(low) se]

    se: of a ratio of sums over families.  t* = (m* - m) / se* of as many families drawn with
    replacement, each with all of its workloads.  A family of more workloads weighs more, as it
    does in the mean.  Source: Davison and Hinkley, Bootstrap Methods (1997), 5.2 (studentized).

    families: log ratios of the workloads of each.  NaN limits below `LEAST_FAMILIES`.
    """
    totals = np.array([sum(logs) for logs in families.values()])
    counts = np.array([len(logs) for logs in families.values()], float)
    if not len(counts):
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean, error = _ratio_of_sums(totals, counts)
    low, high = math.nan, math.nan
    if len(counts) >= LEAST_FAMILIES:
        lowest, highest = np.quantile(_studentized(totals, counts), _tails(level))
        low, high = mean - highest * error, mean - lowest * error
    return Estimate(math.exp(mean), math.exp(low), math.exp(high), len(families))


def _studentized(totals: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """t* of every draw; a draw of one family again and again, which has no error, is left out."""
    mean, _ = _ratio_of_sums(totals, counts)
    drawn = np.random.default_rng(SEED).integers(0, len(counts), (RESAMPLES, len(counts)))
    means, errors = _ratio_of_sums(totals[drawn], counts[drawn])
    apart = errors > 0
    if not apart.any():
        return np.zeros(1)
    studentized: np.ndarray = (means[apart] - mean) / errors[apart]
    return studentized


def _ratio_of_sums(totals: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(sum of totals / sum of counts, its standard error), over the last axis."""
    families = totals.shape[-1]
    mean = totals.sum(axis=-1) / counts.sum(axis=-1)
    residual = totals - mean[..., np.newaxis] * counts
    variance = np.square(residual).sum(axis=-1) * families / (families - 1 or 1)
    return mean, np.sqrt(variance) / counts.sum(axis=-1)


def _tails(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2
