"""Logarithms of every shared cell by the unit of the interval: the generation of the newest runs,
or the run where both sides have several.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...stats.apart import welch_ratio
from ...stats.estimates import Estimate
from ...stats.geometric import geometric_mean, mean_by_generation
from ..evidence import Evidence
from ..timed_cells import TimedCell
from .by import By
from .shared import logs_of
from .sides import Same, Side

ByUnit = Mapping[int, float]
"""By the number of a generation, or the place of a run."""
OfRun = tuple[Evidence, Mapping[Same, TimedCell]]
"""A run with its cells of one side."""


@dataclass(frozen=True)
class Units(ABC):
    """sames: the cells   runs: of the side that has fewer."""

    sames: tuple[Same, ...]
    runs: int

    @abstractmethod
    def faster(self, cases: Sequence[Sequence[Same]]) -> Estimate:
        """The first side's seconds over the other's: the geometric mean over cases, each of them
        the mean over its arms.
        """


@dataclass(frozen=True)
class Paired(Units):
    """Both sides were visited in the same rounds; ratios: log seconds of first / other."""

    ratios: Mapping[Same, ByUnit]

    def faster(self, cases: Sequence[Sequence[Same]]) -> Estimate:
        return geometric_mean([_mean_over(self.ratios, sames) for sames in cases])


@dataclass(frozen=True)
class Apart(Units):
    """Log seconds of both sides."""

    first: Mapping[Same, ByUnit]
    other: Mapping[Same, ByUnit]

    def faster(self, cases: Sequence[Sequence[Same]]) -> Estimate:
        first = [_mean_over(self.first, sames) for sames in cases]
        other = [_mean_over(self.other, sames) for sames in cases]
        before, after = (list(mean_by_generation(one).values()) for one in (other, first))
        return welch_ratio(before, after)


def units_of(first: Side, other: Side, by: By, sames: Sequence[Same]) -> Units:
    """Of cells that the newest run of each side has."""
    ones, twos = _complete(first, sames), _complete(other, sames)
    if first.newest.run.run_id == other.newest.run.run_id:
        shared = {run.run.run_id for run, _ in ones} & {run.run.run_id for run, _ in twos}
        ones = [one for one in ones if one[0].run.run_id in shared]
        twos = [two for two in twos if two[0].run.run_id in shared]
    if min(len(ones), len(twos)) < 2:
        ones, twos = [first.runs[0]], [other.runs[0]]
    return _paired(ones, twos, by, sames) or _apart(ones, twos, by, sames)


def _complete(side: Side, sames: Sequence[Same]) -> list[OfRun]:
    """Runs that timed every one of the cells, with nothing against it."""
    return [
        (run, cells)
        for run, cells in side.runs
        if all(same in cells and not run.doubt_of(cells[same].cell_id) for same in sames)
    ]


def _paired(
    ones: Sequence[OfRun], twos: Sequence[OfRun], by: By, sames: Sequence[Same]
) -> Paired | None:
    """None where a cell was not visited in the same rounds on both sides."""
    if [one[0].run.run_id for one in ones] != [two[0].run.run_id for two in twos]:
        return None
    ratios: dict[Same, ByUnit] = {}
    for same in sames:
        logs = [
            logs_of(run, cells[same], run, others[same], by).paired
            for (run, cells), (_, others) in zip(ones, twos, strict=True)
        ]
        present = [values for values in logs if values]
        if len(present) < len(ones):
            return None
        ratios[same] = _by_unit(present)
    return Paired(tuple(sames), len(ones), ratios)


def _apart(ones: Sequence[OfRun], twos: Sequence[OfRun], by: By, sames: Sequence[Same]) -> Apart:
    """Runs of the two sides have nothing to do with each other: each is taken beside the other
    side's newest.
    """
    first: dict[Same, ByUnit] = {}
    other: dict[Same, ByUnit] = {}
    (newest_one, of_one), (newest_two, of_two) = ones[0], twos[0]
    for same in sames:
        first[same] = _by_unit(
            [logs_of(r, c[same], newest_two, of_two[same], by).first for r, c in ones]
        )
        other[same] = _by_unit(
            [logs_of(newest_one, of_one[same], r, c[same], by).other for r, c in twos]
        )
    return Apart(tuple(sames), min(len(ones), len(twos)), first, other)


def _by_unit(runs: Sequence[Mapping[int, float]]) -> ByUnit:
    """By generation of a single run, else the mean of each run by its place."""
    if len(runs) == 1:
        return runs[0]
    return {place: float(np.mean(list(logs.values()))) for place, logs in enumerate(runs)}


def _mean_over(values: Mapping[Same, ByUnit], sames: Sequence[Same]) -> ByUnit:
    """Of the arms of one case."""
    return mean_by_generation([values[same] for same in sames])
