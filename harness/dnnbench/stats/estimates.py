"""From visits to estimates: times, paired ratios and differences, each with an interval over
generations.

A process has a speed of its own, so the generation is the unit:
every estimate first becomes one number a generation (a median over its rounds),
and Student's t with G - 1 degrees of freedom does the rest. No sample is left out for its value.
`verdict` judges what is estimated here; `apart` compares runs.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from ..spec.phases import Phase
from .distributions import t_quantile
from .flags import GPU_SHARED, GPU_SLOWED, PAUSED, PRESSURE, SINGLE, STEAL, THROTTLED

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
POWER = 0.80
CONTENDED = STEAL | PRESSURE | THROTTLED | GPU_SLOWED | GPU_SHARED | PAUSED
ROUNDS_A_GENERATION = 1 << 32
STEPS = {
    "forward pass": (Phase.FORWARD, None),
    "loss calculation": (Phase.LOSS, Phase.FORWARD),
    "backpropagation": (Phase.GRADIENTS, Phase.LOSS),
    "weight update": (Phase.TRAIN_STEP, Phase.GRADIENTS),
}
"""Step of training -> the phase that ends with it, and the one that ends before it."""
NOTHING = np.empty(0, np.int64)
Values = Sequence[float] | np.ndarray
"""Numbers in a row."""


@dataclass(frozen=True)
class Estimate:
    """A value with its interval.

    Low and high are NaN below two generations, all is NaN without any.
    """

    value: float
    low: float
    high: float
    generations: int


@dataclass(frozen=True)
class Visits:
    """The visits of one cell, one element each: generation, round, position in it,
    seconds a call, flags.
    """

    generation: np.ndarray
    round: np.ndarray
    position: np.ndarray
    call_s: np.ndarray
    flags: np.ndarray

    @classmethod
    def from_frame(cls, frame: "pd.DataFrame") -> "Visits":
        """Rows of the store's `samples` frame, whose seconds are those of k calls together."""
        return cls(
            generation=frame["generation"].to_numpy(np.int64),
            round=frame["round"].to_numpy(np.int64),
            position=frame["position"].to_numpy(np.int64),
            call_s=frame["seconds"].to_numpy(float) / frame["k"].to_numpy(float),
            flags=frame["flags"].to_numpy(np.int64),
        )

    @property
    def keys(self) -> np.ndarray:
        """One whole number for each visit's generation and round together."""
        keys: np.ndarray = self.generation * ROUNDS_A_GENERATION + self.round
        return keys

    def without(self, dropped: np.ndarray) -> "Visits":
        """The visits whose rounds are not among the keys `dropped`."""
        return self.at(~np.isin(self.keys, dropped))

    def at(self, places: np.ndarray) -> "Visits":
        """The visits at these places, which are numbers or a mask."""
        return Visits(*(column[places] for column in vars(self).values()))


def by_cell(samples: "pd.DataFrame") -> dict[str, Visits]:
    """The visits of the store's `samples` frame, taken apart by cell_id; without single calls."""
    return _apart_by_cell(samples[(samples["flags"] & SINGLE) == 0])


def single_calls(samples: "pd.DataFrame") -> dict[str, Visits]:
    """The calls of the store's `samples` frame that were timed one by one, by cell_id."""
    return _apart_by_cell(samples[(samples["flags"] & SINGLE) != 0])


def _apart_by_cell(samples: "pd.DataFrame") -> dict[str, Visits]:
    visits = Visits.from_frame(samples)
    numbers, cells = samples["cell_id"].factorize()
    ends = np.bincount(numbers, minlength=len(cells)).cumsum()
    places = np.split(np.argsort(numbers, kind="stable"), ends[:-1])
    return {str(cell): visits.at(part) for cell, part in zip(cells, places, strict=False)}


def contended_rounds(cells: Iterable[Visits]) -> np.ndarray:
    """Keys of the rounds in which a visit of any cell carries a contention flag:
    all arms drop them.
    """
    return np.unique(
        np.concatenate([NOTHING, *(v.keys[(v.flags & CONTENDED) != 0] for v in cells)])
    )


def all_contended(cells: Sequence[Visits]) -> bool:
    """Whether not one round of any cell is clean."""
    rounds = np.unique(np.concatenate([NOTHING, *(v.keys for v in cells)]))
    return bool(np.isin(rounds, contended_rounds(cells)).all())


def spoilt_generations(cells: Sequence[Visits]) -> list[int]:
    """Generations left with under half their rounds once the contended ones are dropped:
    to be replaced.
    """
    rounds = np.unique(np.concatenate([NOTHING, *(v.keys for v in cells)]))
    generations = rounds // ROUNDS_A_GENERATION
    clean = ~np.isin(rounds, contended_rounds(cells))
    return [int(g) for g in np.unique(generations) if not clean[generations == g].mean() >= 0.5]


def mean_interval(values: Values, level: float = LEVEL) -> tuple[float, float]:
    """(mean, half-width) of Student's t interval: t(level, G-1) sd / sqrt(G).

    NaN where G is too small.
    """
    count = len(values)
    if count < 2:
        return (float(values[0]) if count else math.nan), math.nan
    spread = float(np.std(values, ddof=1)) / math.sqrt(count)
    return float(np.mean(values)), t_quantile((1 + level) / 2, count - 1) * spread


def absolute_time(visits: Visits, dropped: np.ndarray = NOTHING, level: float = LEVEL) -> Estimate:
    """Seconds a call: median over generations of their medians.

    T interval on the medians' logarithms.
    """
    kept = visits.without(dropped)
    medians = _medians(kept.generation, kept.call_s)
    mean, half = mean_interval(np.log(medians), level)
    value = float(np.median(medians)) if len(medians) else math.nan
    return Estimate(value, math.exp(mean - half), math.exp(mean + half), len(medians))


@dataclass(frozen=True)
class Pairs:
    """Two cells in the rounds that both were visited in, one element a round.

    difference: log seconds of the arm minus the base's (log ratio), or plain seconds.
    arm_later: whether the arm's visit came after the base's.
    clean: whether the round is kept.
    """

    generation: np.ndarray
    round: np.ndarray
    difference: np.ndarray
    arm_later: np.ndarray
    clean: np.ndarray

    def effects(self, all_rounds: bool = False) -> np.ndarray:
        """D_g of each generation, over its kept rounds or over all: the mean of two medians,

            D_g = (median of the differences where the arm came later + median of the others) / 2

        or the median of all where one of the two is empty.
        What coming later is worth, to either side alike, adds to one median what it takes
        from the other; a single median would count the order with more rounds in the generation,
        and move with it.
        """
        chosen = self.clean | all_rounds
        return _balanced_medians(
            self.generation[chosen], self.difference[chosen], self.arm_later[chosen]
        )

    def kept(self) -> "Pairs":
        """Only the rounds that are kept."""
        return self._only(self.clean)

    def first(self, generations: int) -> "Pairs":
        """Only the rounds of so many generations, from the run's first on."""
        return self._only(self.generation < generations)

    def _only(self, chosen: np.ndarray) -> "Pairs":
        return Pairs(*(column[chosen] for column in vars(self).values()))


def log_pairs(arm: Visits, base: Visits, dropped: np.ndarray = NOTHING) -> Pairs:
    """d = log(arm's seconds a call) - log(base's) in every round both share."""
    return _pairs(arm, base, dropped, np.log)


def second_pairs(outer: Visits, inner: Visits, dropped: np.ndarray = NOTHING) -> Pairs:
    """Seconds a call of the outer phase minus the inner's in every round both share."""
    pairs = _pairs(outer, inner, dropped, lambda seconds: seconds)
    return replace(
        pairs, arm_later=np.zeros_like(pairs.arm_later)
    )  # places in two phases have no common order


def _pairs(
    arm: Visits, base: Visits, dropped: np.ndarray, scale: Callable[[np.ndarray], np.ndarray]
) -> Pairs:
    keys, one, two = _shared_rounds(_once(arm), _once(base))
    return Pairs(
        generation=keys // ROUNDS_A_GENERATION,
        round=keys % ROUNDS_A_GENERATION,
        difference=scale(arm.call_s[one]) - scale(base.call_s[two]),
        arm_later=arm.position[one] > base.position[two],
        clean=~np.isin(keys, dropped),
    )


def _shared_rounds(arm: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(keys that both have, in order; their places in either).  Most arms are visited in the same
    rounds as the base.
    """
    if np.array_equal(arm, base) and (np.diff(arm) > 0).all():
        places = np.arange(len(arm))
        return arm, places, places
    return np.intersect1d(arm, base, assume_unique=True, return_indices=True)


def _once(visits: Visits) -> np.ndarray:
    if (np.diff(visits.keys) > 0).all():
        return visits.keys
    keys, counts = np.unique(visits.keys, return_counts=True)
    if (counts > 1).any():
        generation, number = divmod(int(keys[counts > 1][0]), ROUNDS_A_GENERATION)
        raise UsageError(
            f"generation {generation}, round {number} holds several visits of one cell where one "
            "is wanted; number the rounds of a generation through"
        )
    return visits.keys


@dataclass(frozen=True)
class Ratio:
    """Time of an arm over the base's, with the contended rounds dropped and, beside it,
    with nothing dropped.

    effects: D_g, one log ratio a generation.
    rounds: pairs in all.
    dropped: those in contended rounds.
    """

    estimate: Estimate
    everything: Estimate
    effects: tuple[float, ...]
    rounds: int
    dropped: int


def ratio(pairs: Pairs, level: float = LEVEL) -> Ratio:
    """exp(mean of D_g) with its t(G-1) interval, from log pairs."""
    effects = pairs.effects()
    return Ratio(
        estimate=_ratio_of(effects, level),
        everything=_ratio_of(pairs.effects(all_rounds=True), level),
        effects=tuple(effects.tolist()),
        rounds=len(pairs.round),
        dropped=int((~pairs.clean).sum()),
    )


def _ratio_of(effects: np.ndarray, level: float) -> Estimate:
    return exp_interval(*mean_interval(effects, level), len(effects))


def exp_interval(mean: float, half: float, generations: int) -> Estimate:
    """An interval on logarithms, back in plain units."""
    return Estimate(math.exp(mean), math.exp(mean - half), math.exp(mean + half), generations)


def time_difference(
    outer: Visits, inner: Visits, dropped: np.ndarray = NOTHING, level: float = LEVEL
) -> Estimate:
    """Seconds by which the outer phase exceeds the inner one, paired by round; may be negative."""
    effects = second_pairs(outer, inner, dropped).effects()
    mean, half = mean_interval(effects, level)
    return Estimate(mean, mean - half, mean + half, len(effects))


def training_steps(
    phases: Mapping[Phase, Visits], dropped: np.ndarray = NOTHING
) -> dict[str, Estimate]:
    """Seconds of each step of training by difference of the phases that contain each other.

    See `STEPS`.

    phases: phase -> visits of one arm. A step is left out where one of its phases is.
    """
    estimates: dict[str, Estimate] = {}
    for step, (outer, inner) in STEPS.items():
        if outer not in phases:
            continue
        if inner is None:
            estimates[step] = absolute_time(phases[outer], dropped)
        elif inner in phases:
            estimates[step] = time_difference(phases[outer], phases[inner], dropped)
    return estimates


def smallest_difference(
    effects: Values, theta: float, power: float = POWER, alpha: float = (1 - LEVEL) / 2
) -> float:
    """The smallest true slowdown, as a fraction, that a run like this one calls SLOWER four
    times in five.

        log(1 + theta) + (t(1 - alpha, G-1) + t(power, G-1)) sd(D_g) / sqrt(G),  minus the logarithm

    alpha: one-sided; a two-sided 95 % interval leaves 2.5 % on either side.
    NaN below two generations.
    """
    count = len(effects)
    if count < 2:
        return math.nan
    spread = float(np.std(effects, ddof=1)) / math.sqrt(count)
    steps = t_quantile(1 - alpha, count - 1) + t_quantile(power, count - 1)
    return math.expm1(math.log1p(theta) + steps * spread)


def _balanced_medians(generation: np.ndarray, values: np.ndarray, later: np.ndarray) -> np.ndarray:
    """The mean of each generation's medians of its two orders, generations in order."""
    groups, medians = _grouped_medians(2 * generation + later, values)
    numbers, first = np.unique(groups // 2, return_index=True)
    counts = np.diff([*first, len(groups)])
    return np.add.reduceat(medians, first) / counts if len(numbers) else np.empty(0)


def _medians(generation: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The median of each generation's values, generations in order."""
    return _grouped_medians(generation, values)[1]


def _grouped_medians(groups: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(groups in order, median of each): one sort for all, as np.median would have them.

    A report of thousands of cells takes tens of thousands of medians of a few values each.
    """
    ordered = np.lexsort((values, groups))
    names, first, counts = np.unique(groups[ordered], return_index=True, return_counts=True)
    sorted_values = values[ordered]
    low, high = first + (counts - 1) // 2, first + counts // 2
    medians = (sorted_values[low] + sorted_values[high]) / 2
    medians[np.isnan(sorted_values[first + counts - 1])] = math.nan  # which a sort puts last
    return names, medians
