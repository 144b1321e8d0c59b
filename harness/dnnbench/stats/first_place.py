"""Who is first: one arm alone only where every other is slower for certain, all together."""

import math
from collections.abc import Sequence

import numpy as np

from .estimates import LEVEL, Ratio, smallest_difference
from .gate import holm, slower_p
from .verdict import THETA


def behind(to_leader: Sequence[Ratio], level: float = LEVEL) -> list[bool]:
    """Whether each arm is slower than the leader, from its times over the leader's, paired.

        p = min(1, 2 P(t(G-1) >= mean(D_g) sqrt(G) / sd(D_g))),  Holm's procedure at 1 - level

    The same data choose the leader, and of two equal arms either may lead: hence the 2. The chance
    that any arm as fast as the leader is called slower is 1 - level at most, however many there
    are.
    """
    p_values = [min(1.0, 2 * slower_p(ratio.effects, theta=0.0)) for ratio in to_leader]
    return [step.rejected for step in holm(p_values, 1 - level)]


def foreseen_difference(effects: Sequence[float], generations: int, theta: float = THETA) -> float:
    """`smallest_difference` of a run of that many generations which lie apart as these do.

    effects: D_g, one log ratio a generation, two at least.  NaN below.
    """
    if len(effects) < 2:
        return math.nan
    ranks = np.arange(generations) - (generations - 1) / 2
    spread = float(np.std(effects, ddof=1))
    alike = ranks / ranks.std(ddof=1) * spread if generations > 1 else ranks
    return smallest_difference(alike, theta)
