"""What a machine's own noise lets it tell: variance within and between generations, and the smallest difference they leave.

Two equal arms were visited in pairs. With D_g the median log ratio of generation g, T its seconds of visits a cell, and m_gb
the medians of its B consecutive blocks of T / B seconds each:

    within   w2 = mean over g of var over b (m_gb) x T / B     (variance x seconds: blocks keep what drifts together)
    between  s2 = max(var over g (D_g) - w2 / T, 0)
    a generation of t seconds       sd(D) = sqrt(s2 + w2 / t)
    the best t (Kalibera & Jones)   t = sqrt(c w2 / s2),  c the seconds that a start costs

For V seconds of visits a cell, G = V / t generations (6 at least, 60 at most) give the half-width t(0.975, G-1) sd / sqrt(G)
and statistics.smallest_difference of numbers with that sd: the slowdown that is called SLOWER four times in five.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from .statistics import Pairs, mean_interval, smallest_difference

BLOCKS = 8
LEAST_ROUNDS = 2 * BLOCKS
"""Of a generation, to tell its variance within."""
FEWEST, MOST = 6, 60
"""Generations of a budget: a gate takes six at least, and nobody waits for more than sixty starts."""
BUDGETS_S = (10.0, 60.0, 600.0)
LEAST_GENERATION_S = 0.5
LEAST_HUMP = 0.05
APART = 4.0
"""Ashman's D of two humps: the halves of a normal distribution have 2.6, those of a uniform one 3.5."""
LEAST_GAP = 1.1


@dataclass(frozen=True)
class Components:
    """Variances of a log ratio: `within_s`, that of one second of visits a cell; `between`, that of processes.

    between_at_most: its upper bound, var(D_g) (G-1) / chi2(0.05, G-1): few generations may miss what differs.
    """

    within_s: float
    between: float
    between_at_most: float
    generations: int
    start_s: float

    def sd(self, generation_s: float) -> float:
        """Standard deviation of D_g over generations of that many seconds."""
        return math.sqrt(self.between + self.within_s / generation_s)

    def generations_of(self, visits_s: float) -> int:
        """How many generations share that many seconds of visits best."""
        best_s = math.sqrt(self.start_s * self.within_s / self.between) if self.between else math.inf
        wanted = visits_s / max(best_s, LEAST_GENERATION_S)
        return min(max(round(wanted), FEWEST), MOST)


@dataclass(frozen=True)
class Floor:
    """What `visits_s` seconds a cell can tell, as shares: the half-width of an interval, and the smallest slowdowns."""

    visits_s: float
    generations: int
    half_width: float
    from_one: float
    """Told from no difference at all."""
    slower: float
    """Called SLOWER, beyond the dead zone."""

    def to_json(self) -> dict:
        return asdict(self)


def components(pairs: Pairs, visits_s: float, start_s: float) -> Components:
    """Variance within and between generations, from log pairs of two equal arms.

    visits_s: seconds of visits a cell and generation, dropped rounds included.  start_s: those of starting a generation.
    Each generation needs `LEAST_ROUNDS` kept rounds.
    """
    from scipy import stats

    kept, effects = pairs.kept(), pairs.effects()
    blocks = [_block_variance(kept.difference[kept.generation == g]) for g in np.unique(kept.generation)]
    within_s = float(np.mean(blocks)) * visits_s / BLOCKS
    spread, free = float(np.var(effects, ddof=1)), len(effects) - 1
    most = spread * free / float(stats.chi2.ppf(0.05, free))
    return Components(within_s, max(spread - within_s / visits_s, 0.0), most, len(effects), start_s)


def _block_variance(differences: np.ndarray) -> float:
    """Variance of the medians of consecutive blocks."""
    return float(np.var([np.median(part) for part in np.array_split(differences, BLOCKS)], ddof=1))


def floor(found: Components, visits_s: float, theta: float) -> Floor:
    """The smallest differences that `visits_s` seconds of visits a cell can tell, with a dead zone `theta`."""
    count = found.generations_of(visits_s)
    effects = _numbers_of(found.sd(visits_s / count), count)
    half = math.expm1(mean_interval(effects)[1])
    return Floor(visits_s, count, half, smallest_difference(effects, 0.0), smallest_difference(effects, theta))


def _numbers_of(sd: float, count: int) -> np.ndarray:
    """`count` numbers with mean 0 and that standard deviation."""
    ranks = np.arange(count) - (count - 1) / 2
    return ranks / ranks.std(ddof=1) * sd


@dataclass(frozen=True)
class Humps:
    """The split of one fixed kernel's times in two: how far apart, how many times slower, and the slower one's share."""

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

    separation: Ashman's D = |m1 - m2| sqrt(2) / sqrt(s1^2 + s2^2).  Without two values that differ there is one hump.
    """
    times = np.sort(np.log(np.asarray(seconds, float)))
    counts = np.arange(1, len(times))
    if len(times) < 2 or times[0] == times[-1]:
        return Humps(0.0, 1.0, 0.0)
    total, sums = times.sum(), np.cumsum(times)[:-1]
    gap = (total - sums) / (len(times) - counts) - sums / counts
    cut = int(np.argmax(counts * (len(times) - counts) * gap**2)) + 1
    fast, slow = times[:cut], times[cut:]
    spread = math.hypot(fast.std(), slow.std())
    distance = float(slow.mean() - fast.mean())
    return Humps(
        math.sqrt(2) * distance / spread if spread else math.inf,
        math.exp(distance),
        len(slow) / len(times),
    )
