"""Which of two ends a candidate is like: a group-sequential test of its place between them.

Good end, bad end and candidate are measured together. With c_g the log ratio of the candidate to
the good end in generation g, and b_g that to the bad end,

    Q_g(q) = (1 - q) c_g + q b_g

has mean zero exactly where the candidate lies at the place q between the ends, in logarithms:
0 at the good one, 1 at the bad one, 1/2 at the geometric middle. Each look is a one-sided t test
with G - 1 degrees of freedom; all looks of a candidate share its alpha in equal parts, so that the
chance of a wrong side is at most alpha however many looks are taken (Bonferroni).
Source: C. Jennison, B. Turnbull, Group Sequential Methods, 1999, chapters 2 and 4.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .distributions import t_tail

LOOKS = (4, 8, 16, 32)
"""Generations in all at each look; who is undecided at the last one stays so."""
MIDDLE, NEAR_GOOD, NEAR_BAD = 1 / 2, 1 / 4, 3 / 4


class Side(StrEnum):
    """Which end a candidate is like."""

    GOOD = "good"
    BAD = "bad"
    BETWEEN = "between"
    """For certain nearer to the middle than to either end: no single step leads there."""
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Placed:
    """A candidate between the ends.

    position: 0 at the good end, 1 at the bad one, in logarithms; NaN where nothing was measured.
    """

    side: Side
    position: float
    generations: int


def next_look(generations: int) -> int | None:
    """Generations in all at the look after so many; None where there is none."""
    return next((look for look in LOOKS if look > generations), None)


def place_between(to_good: Sequence[float], to_bad: Sequence[float], alpha: float) -> Placed:
    """Where a candidate lies, at one look.

    to_good, to_bad: c_g and b_g, one of each a generation.
    alpha: of the candidate, of all its looks together.
    BETWEEN comes first: it is what speaks against a single step. Nothing is decided unless the
    ends themselves differ for certain in these generations.
    """
    good, bad = np.asarray(to_good, float), np.asarray(to_bad, float)
    level = alpha / len(LOOKS)
    if len(good) < 2:
        return Placed(Side.UNDECIDED, math.nan, len(good))
    if not _is_positive(good - bad, level):
        return Placed(Side.UNDECIDED, _position(good, bad), len(good))

    def beyond(q: float) -> bool:
        return _is_positive((1 - q) * good + q * bad, level)

    def before(q: float) -> bool:
        return _is_positive(-((1 - q) * good + q * bad), level)

    if beyond(NEAR_GOOD) and before(NEAR_BAD):
        side = Side.BETWEEN
    elif before(MIDDLE):
        side = Side.GOOD
    elif beyond(MIDDLE):
        side = Side.BAD
    else:
        side = Side.UNDECIDED
    return Placed(side, _position(good, bad), len(good))


def _position(good: np.ndarray, bad: np.ndarray) -> float:
    gap = float(np.mean(good - bad))
    return float(np.mean(good)) / gap if gap else math.nan


def _is_positive(values: np.ndarray, level: float) -> bool:
    """Whether the mean lies above zero, by a one-sided t test."""
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    if error == 0:
        return mean > 0
    return t_tail(mean / error, len(values) - 1) <= level


def share_of_gap(step: Sequence[float], gap: Sequence[float], alpha: float) -> tuple[float, bool]:
    """(what a commit makes of the whole difference, whether that is for certain less than all).

    step: log ratio of the commit to its parent, one a generation; gap: of the bad end to the good
    one, in the same generations. Less than all: mean(3/4 gap - step) > 0 by a one-sided t test.
    """
    own, whole = np.asarray(step, float), np.asarray(gap, float)
    mean = float(np.mean(whole)) if len(whole) else 0.0
    share = float(np.mean(own)) / mean if mean else math.nan
    return share, len(own) >= 2 and _is_positive(NEAR_BAD * whole - own, alpha)
