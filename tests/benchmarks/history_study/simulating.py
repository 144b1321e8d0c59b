"""Series of nightly runs with known parts: within a run, between runs, between days."""

from dataclasses import dataclass

import numpy as np

NIGHTS = 60


@dataclass(frozen=True)
class Parts:
    """Standard deviations of a log time, a run each.

    within: of a run's own mean over its generations.
    runs: between runs, new every night.
    days: between days, a first-order autoregression with correlation `carry` from night to night.
    outliers: share of runs that are slower by 5 to 30 %.
    tail: degrees of freedom of Student's t in place of the normal distribution; 0 for the normal.
    """

    within: float
    runs: float
    days: float
    carry: float = 0.0
    outliers: float = 0.0
    tail: int = 0

    @property
    def sd(self) -> float:
        """Of a point."""
        return float(np.sqrt(self.within**2 + self.runs**2 + self.days**2))

    @property
    def correlation(self) -> float:
        """Of neighbours."""
        return self.carry * self.days**2 / self.sd**2

    def scaled(self, sd: float) -> "Parts":
        """The same shares, with another standard deviation of a point."""
        by = sd / self.sd
        return Parts(
            self.within * by, self.runs * by, self.days * by, self.carry, self.outliers, self.tail
        )


def simulate(
    parts: Parts, count: int, draw: np.random.Generator, nights: int = NIGHTS
) -> np.ndarray:
    """Equal series: (count, nights) of log times, level 0."""
    shape = (count, nights)
    series = parts.within * draw.standard_normal(shape)
    series += parts.runs * _shocks(parts.tail, shape, draw)
    series += parts.days * _carried(_shocks(parts.tail, shape, draw), parts.carry)
    if parts.outliers:
        is_outlier = draw.random(shape) < parts.outliers
        series += is_outlier * np.log(draw.uniform(1.05, 1.3, shape))
    return series


def _shocks(tail: int, shape: tuple[int, int], draw: np.random.Generator) -> np.ndarray:
    if not tail:
        return draw.standard_normal(shape)
    return draw.standard_t(tail, shape) / np.sqrt(tail / (tail - 2))


def _carried(shocks: np.ndarray, carry: float) -> np.ndarray:
    """x_n = carry x_(n-1) + sqrt(1 - carry^2) e_n, whose variance is that of e."""
    series = shocks.copy()
    for night in range(1, shocks.shape[1]):
        series[:, night] = carry * series[:, night - 1] + np.sqrt(1 - carry**2) * shocks[:, night]
    return series


def with_change(series: np.ndarray, night: int, size: float) -> np.ndarray:
    """Slower by the share `size` from a night on."""
    changed = series.copy()
    changed[:, night:] += np.log1p(size)
    return changed


def with_drift(series: np.ndarray, size: float) -> np.ndarray:
    """Slower by `size` at the end than at the beginning, in a straight line."""
    return series + np.linspace(0, np.log1p(size), series.shape[1])
