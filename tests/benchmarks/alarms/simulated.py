"""Processes that differ as real ones do, and what the assertion's rule says of them.

The log ratio of a process is normal about log(1 + slowdown), with the standard deviation between
processes: each side has a speed of its own in every process. What a process's visits leave open is
small beside it, and part of it.
"""

from dataclasses import dataclass

import numpy as np
from dnnbench.stats.estimates import Pairs
from dnnbench.stats.split import FEWEST
from dnnbench.testing.not_slower import Outcome, judged_pairs
from study.bounds import Count

BY = 0.05
SPREADS = (0.005, 0.01, 0.02, 0.04)
SLOWDOWNS = (0.0, 0.05, 0.10, 0.15)
"""Of f: none; `by` itself, where the rule is to be wrong in 1 % at most; larger ones."""


@dataclass(frozen=True)
class Counts:
    """How often each outcome came, of one spread and one true slowdown."""

    spread: float
    slowdown: float
    slower: Count
    undecided: Count


def counts(trials: int, seed: int = 0) -> list[Counts]:
    """A row for each spread and slowdown."""
    draw = np.random.default_rng(seed)
    return [_counts(spread, slowdown, trials, draw) for spread in SPREADS for slowdown in SLOWDOWNS]


def _counts(spread: float, slowdown: float, trials: int, draw: np.random.Generator) -> Counts:
    effects = draw.normal(np.log1p(slowdown), spread, size=(trials, FEWEST))
    outcomes = [judged_pairs(pairs_of(each), BY).outcome for each in effects]
    found = [
        Count(outcomes.count(outcome), trials) for outcome in (Outcome.SLOWER, Outcome.UNDECIDED)
    ]
    return Counts(spread, slowdown, *found)


def pairs_of(effects: np.ndarray) -> Pairs:
    """A round for each process, which shows its log ratio."""
    size = len(effects)
    return Pairs(
        generation=np.arange(size),
        round=np.zeros(size, np.int64),
        difference=effects,
        arm_later=np.zeros(size, bool),
        clean=np.ones(size, bool),
    )
