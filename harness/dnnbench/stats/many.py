"""Many workloads in one number: the geometric mean of their ratios, how certain it is of these
workloads, and how far it holds for others.

Two questions with two intervals.  Of *these* workloads the only error is that of measuring: each
generation (or run) gives one mean of log ratios, and Student's t is taken over them.  Of workloads
*like* these the error is that others were not measured: families of networks are drawn again.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .apart import Spread, welch_ratio
from .estimates import LEVEL, Estimate, Pairs, exp_interval, mean_interval

LEAST_FAMILIES = 8
"""From which on a sample of families says anything of families that were not measured."""
RESAMPLES = 10_000
SEED = 0
"""Of the draws: the same data give the same interval."""

ByUnit = Mapping[int | str, float]
"""A log ratio, or a log time, of one workload by its unit: the generation, or the run."""


def by_generation(pairs: Pairs) -> dict[int, float]:
    """D_g of paired rounds by the number of its generation."""
    numbers = np.unique(pairs.generation[pairs.clean])
    return dict(zip(numbers.tolist(), pairs.effects().tolist(), strict=True))


def geometric_mean(workloads: Sequence[ByUnit], level: float = LEVEL) -> Estimate:
    """Ratios that were paired within a run: exp of the mean of log ratios over workloads.

        m_u = mean over workloads of d_wu,   mean over u of m_u +- t(U - 1) sd(m_u) / sqrt(U)

    workloads: d_w by unit.  Units that not all workloads have are left out, since a mean of other
    workloads is another mean; where none is left, the mean of the workloads' own means stands
    without an interval.
    """
    means = _unit_means(workloads)
    if not len(means):
        return _without_interval(workloads)
    return exp_interval(*mean_interval(means, level), len(means))


def geometric_mean_apart(
    old: Sequence[ByUnit],
    new: Sequence[ByUnit],
    level: float = LEVEL,
    spread: Spread | None = None,
) -> Estimate:
    """New over old where they were measured apart: `welch_ratio` of the means of log times.

    old, new: log times of the same workloads in the same order.  spread: between runs, beyond the
    error within the two; without it the interval is of that error alone.
    """
    before, after = _unit_means(old), _unit_means(new)
    if not len(before) or not len(after):
        difference = _mean_of_means(new) - _mean_of_means(old)
        return exp_interval(difference, math.nan, 0)
    return welch_ratio(before, after, level, spread)


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


def _unit_means(workloads: Sequence[ByUnit]) -> np.ndarray:
    """The mean over workloads in each unit that all of them have, units in order."""
    shared = set.intersection(*map(set, workloads)) if workloads else set()
    units = sorted(shared, key=str)
    return np.array([np.mean([values[unit] for values in workloads]) for unit in units])


def _mean_of_means(workloads: Sequence[ByUnit]) -> float:
    means = [np.mean(list(values.values())) for values in workloads if values]
    return float(np.mean(means)) if means and len(means) == len(workloads) else math.nan


def _without_interval(workloads: Sequence[ByUnit]) -> Estimate:
    return exp_interval(_mean_of_means(workloads), math.nan, 0)
