"""The rule of `dnnbench.stats.change_points` on many series at once, after every night.

A test holds it against `find_change_points`, which looks at one series at a time.
"""

from dataclasses import dataclass

import numpy as np
from dnnbench.stats.change_limits import LEAST_POINTS, LEAST_SIDE
from dnnbench.stats.change_points import A_STRAY_IN, HIGHEST_CORRELATION, LEAST_CHANGE
from scipy.special import stdtr

TINY = 1e-300


@dataclass(frozen=True)
class Looks:
    """What each look sees: arrays (series, nights); night n is the look at the first n + 1 runs.

    log_p: natural logarithm of the p value, 0 where there are too few runs.
    strays: whether too many points lie nearer to the other level.
    change: of the log level.   place: of the first run after the proposed change point.
    """

    log_p: np.ndarray
    strays: np.ndarray
    change: np.ndarray
    place: np.ndarray

    def alarms(self, limit: float) -> np.ndarray:
        """Whether a look reports a change point: (series, nights)."""
        is_large = np.abs(self.change) >= np.log1p(LEAST_CHANGE)
        return (self.log_p <= np.log(limit)) & is_large & ~self.strays


def looks(series: np.ndarray) -> Looks:
    """series: (series, nights) of log times; all looks begin at the first run."""
    count, nights = series.shape
    log_p = np.zeros((count, nights))
    strays = np.zeros((count, nights), bool)
    change = np.zeros((count, nights))
    place = np.zeros((count, nights), int)
    sums = np.concatenate([np.zeros((count, 1)), np.cumsum(series, axis=1)], axis=1)
    rows = np.arange(count)
    for size in range(LEAST_POINTS, nights + 1):
        places = np.arange(LEAST_SIDE, size - LEAST_SIDE + 1)
        before = sums[:, places] / places
        after = (sums[:, [size]] - sums[:, places]) / (size - places)
        gains = places * (size - places) * np.square(after - before)
        best = gains.argmax(axis=1)
        k = places[best]
        difference = after[rows, best] - before[rows, best]
        in_first = np.arange(size) < k[:, None]
        means = np.where(in_first, before[rows, best, None], after[rows, best, None])
        residuals = series[:, :size] - means
        t, freedom = _student(residuals, k, difference, rows)
        log_p[:, size - 1] = np.log(np.maximum(2 * stdtr(freedom, -t), TINY))
        strays[:, size - 1] = _strays(residuals, in_first, difference)
        change[:, size - 1] = difference
        place[:, size - 1] = k
    return Looks(log_p, strays, change, place)


def _student(residuals, k, difference, rows):
    """t and its degrees of freedom, as `dnnbench.stats.change_points.evidence_at` has them."""
    size = residuals.shape[1]
    squares = np.square(residuals).sum(axis=1)
    products = residuals[:, 1:] * residuals[:, :-1]
    products[rows, k - 1] = 0
    plain = products.sum(axis=1) / squares
    r = np.clip(plain + (2 + 4 * np.maximum(plain, 0)) / size, 0, HIGHEST_CORRELATION)
    first, second = _variance(k, r), _variance(size - k, r)
    free = np.maximum(size - k * first - (size - k) * second, 1)
    error = np.sqrt(squares / free * (first + second))
    return np.abs(difference) / error, np.maximum((size - 2) * (1 - r) / (1 + r), 2)


def _strays(residuals, in_first, difference):
    """As `dnnbench.stats.change_points.has_strays`."""
    to_other = residuals * np.where(in_first, 1, -1) * np.sign(difference)[:, None]
    nearer = to_other > np.abs(difference)[:, None] / 2
    sides = (in_first, ~in_first)
    most = [side.sum(axis=1) // A_STRAY_IN for side in sides]
    return np.any([(nearer & s).sum(axis=1) > m for s, m in zip(sides, most, strict=True)], axis=0)


def _variance(count, r):
    return (1 + r) / (1 - r) / count - 2 * r * (1 - r**count) / ((1 - r) ** 2 * count**2)
