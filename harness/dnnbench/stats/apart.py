"""Runs measured apart, another day or another machine: compared through their control arms,
or not at all.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .distributions import t_quantile
from .estimates import (
    LEVEL,
    NOTHING,
    Estimate,
    Values,
    Visits,
    exp_interval,
    log_pairs,
)
from .geometric import effects_by_generation
from .verdict import THETA, Finding, Verdict, contention_doubt, control_doubt, place

LEAST_RUNS = 5
"""Runs from which on they can tell how far runs lie apart."""


@dataclass(frozen=True)
class Spread:
    """How far runs of one machine lie apart beyond their own errors:
    sd of a log time, estimated from so many runs.

    Two runs cannot know it: what differs between them (where pages lie, what else the host does
    that hour) is the same in all generations of either.
    """

    sd: float
    runs: int

    @property
    def variance(self) -> float:
        """Of the difference of two runs."""
        return 2 * self.sd**2


@dataclass(frozen=True)
class Recorded:
    """One cell of a recorded run: its visits, its run's control arm, the machine,
    and the rounds to drop.
    """

    visits: Visits
    control: Visits | None
    machine_id: str
    dropped: np.ndarray = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True)
class Apart:
    """New time over old, without the contended rounds and with all; between machines no finding."""

    estimate: Estimate
    everything: Estimate
    finding: Finding | None


def compare_apart(
    old: Recorded,
    new: Recorded,
    theta: float = THETA,
    level: float = LEVEL,
    spread: Spread | None = None,
) -> Apart:
    """Ratio, by Welch's t over generations, and verdict of one cell in two runs.

    On one machine both times are divided by their control arm's in the same round.
    Between machines the ratio is of plain times and there is no verdict, because the control would
    measure the machines' NumPy instead.
    spread: of this machine's runs, which then is part of the interval;
    without it the interval holds the error within the two runs only.
    """
    same = old.machine_id == new.machine_id
    normal = same and old.control is not None and new.control is not None
    if not same:
        spread = None

    def ratio_of(one: Recorded, two: Recorded) -> Estimate:
        return welch_ratio(log_times(one, normal), log_times(two, normal), level, spread)

    estimate = ratio_of(old, new)
    # Over all rounds: a verdict that the contended ones change is in doubt.
    everything = ratio_of(replace(old, dropped=NOTHING), replace(new, dropped=NOTHING))
    if not same:
        return Apart(estimate, everything, None)
    reason = _doubt(old, new, estimate, everything, theta, level)
    finding = (
        Finding(Verdict.UNDECIDED, reason, overruled=True) if reason else place(estimate, theta)
    )
    return Apart(estimate, everything, finding)


def _doubt(
    old: Recorded,
    new: Recorded,
    estimate: Estimate,
    everything: Estimate,
    theta: float,
    level: float,
) -> str:
    """Why no verdict may be given on this machine, or an empty text."""
    if old.control is None:
        return "the old run holds no control arm to compare by"
    if new.control is None:
        return "the new run holds no control arm to compare by"
    if estimate.generations == 0:
        return (
            "a run has no round, free of contention, in which cell and control arm were both "
            "visited"
        )
    if estimate.generations == 1:
        return "one generation gives no interval; both runs need two or more"
    before = _log_medians(old.control.without(old.dropped))
    after = _log_medians(new.control.without(new.dropped))
    return control_doubt(welch_ratio(before, after, level), theta) or contention_doubt(
        estimate, everything
    )


def welch_ratio(
    old: Values, new: Values, level: float = LEVEL, spread: Spread | None = None
) -> Estimate:
    """exp(mean(new) - mean(old)) of log times, one a generation, with Welch's interval.

        df = (a + b + c)^2 / (a^2 / (G_old - 1) + b^2 / (G_new - 1) + c^2 / (runs - 1))

    a, b: variance / G of either side.
    c: 2 sd^2 of the spread, where it is given.
    Source: B. L. Welch, Biometrika 34 (1947) 28.
    NaN limits where a side has fewer than two generations.
    """
    generations = min(len(old), len(new))
    if not generations:
        return Estimate(math.nan, math.nan, math.nan, 0)
    change = float(np.mean(new) - np.mean(old))
    if generations < 2:
        return exp_interval(change, math.nan, generations)
    parts = [(float(np.var(side, ddof=1)) / len(side), len(side) - 1) for side in (old, new)]
    if spread is not None:
        parts.append((spread.variance, spread.runs - 1))
    variance = sum(part for part, _ in parts)
    # Equal samples: Welch's formula would divide nothing by nothing.
    if variance == 0:
        return exp_interval(change, 0.0, generations)
    freedom = variance**2 / sum(part**2 / free for part, free in parts)
    return exp_interval(
        change, t_quantile((1 + level) / 2, freedom) * math.sqrt(variance), generations
    )


def spread_between(histories: Iterable[Mapping[str, Sequence[float]]]) -> Spread | None:
    """The spread between runs, from cells that several runs measured alike.

    None below `LEAST_RUNS` runs.

        sd^2 = max(0, sum over cells of (sum_r (m_r - m)^2 - (R - 1) mean_r v_r)
                      / sum over cells of (R - 1))

    histories: of each cell, log times by run, one a generation, two or more of them.
    m_r, v_r: mean and variance / G of a run; m: the mean of the R runs.
    All cells of a run share what made that run differ, so the runs are counted.
    """
    repeated = [history for history in histories if len(history) >= 2]
    runs: set[str] = set().union(*repeated)
    if len(runs) < LEAST_RUNS:
        return None
    excess = sum(_excess(list(history.values())) for history in repeated)
    free = sum(len(history) - 1 for history in repeated)
    return Spread(math.sqrt(max(excess / free, 0.0)), len(runs))


def _excess(runs: Sequence[Sequence[float]]) -> float:
    """Squares of the runs' means about their mean, beyond what the runs' own errors account for."""
    means = np.array([np.mean(run) for run in runs])
    errors = np.array([np.var(run, ddof=1) / len(run) for run in runs])
    return float(np.square(means - means.mean()).sum() - (len(runs) - 1) * errors.mean())


def log_times(run: Recorded, normal: bool) -> np.ndarray:
    """One log time a generation: of a call, or of a call in units of the control arm's."""
    return np.array(list(log_times_by_generation(run, normal).values()))


def log_times_by_generation(run: Recorded, normal: bool) -> dict[int, float]:
    """`log_times` under the numbers of their generations."""
    if normal and run.control is not None:
        return effects_by_generation(log_pairs(run.visits, run.control, run.dropped))
    kept = run.visits.without(run.dropped)
    numbers = np.unique(kept.generation).tolist()
    return dict(zip(numbers, _log_medians(kept).tolist(), strict=True))


def _log_medians(visits: Visits) -> np.ndarray:
    logs = np.log(visits.call_s)
    return np.array([np.median(logs[visits.generation == g]) for g in np.unique(visits.generation)])
