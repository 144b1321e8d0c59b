"""What a machine's own noise lets it tell: the smallest difference that two equal arms,
visited in pairs, leave.

For V seconds of visits a cell, the best G generations (`split`) give the half-width
t(0.975, G-1) sd / sqrt(G) and statistics.smallest_difference of numbers with that sd:
the slowdown that is called SLOWER four times in five.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from .estimates import mean_interval, smallest_difference
from .split import Components

BUDGETS_S = (10.0, 60.0, 600.0)
LEAST_HUMP = 0.05
APART = 4.0
"""Ashman's D of two humps: the halves of a normal distribution have 2.6,
those of a uniform one 3.5.
"""
LEAST_GAP = 1.1


@dataclass(frozen=True)
class Floor:
    """What `visits_s` seconds a cell can tell, as shares: the half-width of an interval,
    and the smallest slowdowns.
    """

    visits_s: float
    generations: int
    half_width: float
    from_one: float
    """Told from no difference at all."""
    slower: float
    """Called SLOWER, beyond the dead zone."""

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def floor(variances: Components, visits_s: float, theta: float) -> Floor:
    """The smallest differences that `visits_s` seconds of visits a cell can tell,
    with a dead zone `theta`.
    """
    count = variances.generations_of(visits_s)
    effects = _numbers_of(variances.sd(visits_s / count), count)
    half = math.expm1(mean_interval(effects)[1])
    return Floor(
        visits_s,
        count,
        half,
        smallest_difference(effects, 0.0),
        smallest_difference(effects, theta),
    )


def _numbers_of(sd: float, count: int) -> np.ndarray:
    """`count` numbers with mean 0 and that standard deviation."""
    ranks = np.arange(count) - (count - 1) / 2
    numbers: np.ndarray = ranks / ranks.std(ddof=1) * sd
    return numbers


@dataclass(frozen=True)
class Humps:
    """The split of one fixed kernel's times in two: how far apart, how many times slower,
    and the slower one's share.
    """

    separation: float
    ratio: float
    slow_share: float

    @property
    def two(self) -> bool:
        """Whether there are two speeds: clearly apart, and either more than an outlier."""
        clear = self.separation > APART and self.ratio > LEAST_GAP
        return clear and LEAST_HUMP <= self.slow_share <= 1 - LEAST_HUMP


def humps(seconds: Sequence[float]) -> Humps:
    """Split times where the variance within both parts is least (Otsu), on their logarithms.

    separation: Ashman's D = |m1 - m2| sqrt(2) / sqrt(s1^2 + s2^2).
    Without two values that differ there is one hump.
    """
    times = np.sort(np.log(np.asarray(seconds, float)))
    counts = np.arange(1, len(times))
    if len(times) < 2 or times[0] == times[-1]:
        return Humps(0.0, 1.0, 0.0)
    # Least variance within is most between: n1 n2 (m2 - m1)^2, here for every cut at once.
    total, sums = times.sum(), np.cumsum(times)[:-1]
    gap = (total - sums) / (len(times) - counts) - sums / counts
    cut = int(np.argmax(counts * (len(times) - counts) * gap**2)) + 1
    fast, slow = times[:cut], times[cut:]
    spread = math.hypot(fast.std(), slow.std())
    distance = float(slow.mean() - fast.mean())
    separation = math.sqrt(2) * distance / spread if spread else math.inf
    return Humps(separation, math.exp(distance), len(slow) / len(times))
