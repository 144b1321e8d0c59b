"""How to split time between generations: variance within and between them, and what a start costs.

With D_g the median log ratio of generation g, T its seconds of visits, and m_gb the medians
of its B consecutive blocks of T / B seconds each:

    within   w2 = mean over g of var over b (m_gb) x T / B
             (variance x seconds: blocks keep what drifts together)
    between  s2 = max(var over g (D_g) - w2 / T, 0)
    a generation of t seconds       sd(D) = sqrt(s2 + w2 / t)
    the best t                      t = sqrt(c w2 / s2),  c the seconds that a start costs

Source: T. Kalibera, R. Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013, section 6.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .distributions import chi2_quantile
from .estimates import Pairs

BLOCKS = 8
LEAST_ROUNDS = 2 * BLOCKS
"""Of a generation, to tell its variance within."""
FEWEST, MOST = 6, 60
"""Generations of a budget: a gate takes six at least, and nobody waits for more
than sixty starts.
"""
MOST_STARTS = 2.0
"""Seconds of starts for one of visits, at most: who asks for a minute does not wait for ten."""
LEAST_GENERATION_S, ROUNDS_EACH = 0.5, 8
"""Of a generation: seconds of visits and rounds, at least, so that contention in one does
not spoil it.
"""


@dataclass(frozen=True)
class Components:
    """Variances of a log ratio: `within_s`, that of one second of visits a cell.

    `between`, that of processes.

    between_at_most: its upper bound, var(D_g) (G-1) / chi2(0.05, G-1):
    few generations may miss what differs.
    start_s, round_s: seconds that starting a generation takes, and a round of visits.
    """

    within_s: float
    between: float
    between_at_most: float
    generations: int
    start_s: float
    round_s: float

    def sd(self, generation_s: float) -> float:
        """Standard deviation of D_g over generations of that many seconds."""
        return math.sqrt(self.between + self.within_s / generation_s)

    def generations_of(self, visits_s: float) -> int:
        """How many generations share that many seconds of visits best, of those whose starts can
        be waited for.
        """
        best_s = (
            math.sqrt(self.start_s * self.within_s / self.between) if self.between else math.inf
        )
        wanted = visits_s / max(best_s, LEAST_GENERATION_S, ROUNDS_EACH * self.round_s)
        waited_for = MOST_STARTS * visits_s / self.start_s if self.start_s else math.inf
        return round(min(max(min(wanted, waited_for), FEWEST), MOST))


def components(pairs: Pairs, visits_s: float, start_s: float) -> Components:
    """Variance within and between generations, from log pairs of two equal arms.

    visits_s: seconds of visits a cell and generation, dropped rounds included.
    start_s: those of starting a generation. Each generation needs `LEAST_ROUNDS` kept rounds.
    """
    kept, effects = pairs.kept(), pairs.effects()
    blocks = [
        _block_variance(kept.difference[kept.generation == g]) for g in np.unique(kept.generation)
    ]
    within_s = float(np.mean(blocks)) * visits_s / BLOCKS
    spread, free = float(np.var(effects, ddof=1)), len(effects) - 1
    most = spread * free / chi2_quantile(0.05, free)
    round_s = visits_s * len(effects) / len(pairs.difference)
    return Components(
        within_s, max(spread - within_s / visits_s, 0.0), most, len(effects), start_s, round_s
    )


def tells_variances(kept: Pairs) -> bool:
    """Whether there are two generations, and in each one rounds enough to tell its own variance."""
    counts = np.unique(kept.generation, return_counts=True)[1]
    return len(counts) >= 2 and bool((counts >= LEAST_ROUNDS).all())


def _block_variance(differences: np.ndarray) -> float:
    """Variance of the medians of consecutive blocks."""
    return float(np.var([np.median(part) for part in np.array_split(differences, BLOCKS)], ddof=1))


def pooled(parts: Sequence[Components]) -> Components:
    """The mean variances of several cells that were visited together, the longest round:
    all get the same generations.
    """
    return Components(
        within_s=float(np.mean([part.within_s for part in parts])),
        between=float(np.mean([part.between for part in parts])),
        between_at_most=float(np.mean([part.between_at_most for part in parts])),
        generations=parts[0].generations,
        start_s=parts[0].start_s,
        round_s=max(part.round_s for part in parts),
    )
