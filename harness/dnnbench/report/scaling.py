"""Sweeps: the same network and arm where one thing alone varies, and where it stops to gain."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np

from ..execution.measured import Measured
from ..protocol.dtypes import DType
from ..spec.phases import PURPOSES
from ..spec.units import EXAMPLES, Unit
from ..stats.estimates import Estimate, absolute_time, exp_interval, mean_interval
from ..stats.geometric import ByGeneration, effects_by_generation
from ..stats.verdict import too_wide
from ..store.run_rows import CellRow

LEAST_GAIN = 0.1
"""What gains less in throughput gains nothing that counts."""
Value = int | float | str
"""Of what varies: a number of it, or a name."""


class Kind(StrEnum):
    """What may vary along a sweep."""

    BATCH = "batch size"
    THREADS = "threads"
    TYPE = "type"
    PARAMETER = "parameter"


@dataclass(frozen=True)
class Axis:
    """What varies along a sweep; of parameters of a network, one is an axis of its own."""

    kind: Kind
    parameter: str = ""
    """Its name, of `Kind.PARAMETER`."""

    @property
    def name(self) -> str:
        return self.parameter or str(self.kind)


BATCH, THREADS, TYPE = Axis(Kind.BATCH), Axis(Kind.THREADS), Axis(Kind.TYPE)


@dataclass(frozen=True)
class SweepPoint:
    """A value of what varies, and the time of a call there."""

    value: Value
    batch_size: int
    call: Estimate
    unit: Unit = EXAMPLES
    workload: str = ""

    @property
    def per_s(self) -> float:
        """Throughput in its unit: examples, images or tokens a second."""
        return self.batch_size * self.unit.each / self.call.value


@dataclass(frozen=True)
class Sweep:
    """One arm of one workload along one axis, two points or more, numbers from the least on."""

    axis: Axis
    workload: str
    """Without what varies."""
    batch_size: int | None
    """None where it is what varies."""
    phase: str
    arm: str
    """Its name without what varies."""
    backend: str
    points: tuple[SweepPoint, ...]
    gains: Mapping[tuple[int, int], Estimate] = field(default_factory=dict)
    """Throughput of the second point over that of the first, an earlier one, by their places;
    all NaN where nothing can be said.
    """

    @property
    def in_numbers(self) -> bool:
        """Whether what varies is a quantity, of which there is more and less."""
        return not any(isinstance(point.value, str) for point in self.points)

    @property
    def best(self) -> SweepPoint:
        """The one with the highest throughput."""
        return max(self.points, key=lambda point: point.per_s)

    @property
    def as_good(self) -> list[SweepPoint]:
        """Others that this run cannot tell from the best."""
        place = self.points.index(self.best)
        return [
            point
            for other, point in enumerate(self.points)
            if other != place and not self._is_ahead(place, other)
        ]

    def _is_ahead(self, place: int, other: int) -> bool:
        """Whether the first has more throughput for certain."""
        if place > other:
            return self.gain(other, place).low > 1
        return self.gain(place, other).high < 1

    @property
    def enough(self) -> int:
        """Place of the first point that no later one passes by `LEAST_GAIN`."""
        most = 1 + LEAST_GAIN
        return next(
            place
            for place, point in enumerate(self.points)
            if all(later.per_s <= most * point.per_s for later in self.points[place + 1 :])
        )

    @property
    def is_certain(self) -> bool:
        """Whether the intervals bear `enough`: none of an earlier point allows that it was enough,
        none of it allows that a later one brings more.
        """
        place, last = self.enough, len(self.points)
        after = all(
            self.gain(place, later).high <= 1 + LEAST_GAIN for later in range(place + 1, last)
        )
        before = place == 0 or self.gain(place - 1, place).low > 1
        return after and before

    def gain(self, earlier: int, later: int) -> Estimate:
        """Throughput of one point over an earlier one's."""
        nothing = Estimate(math.nan, math.nan, math.nan, 0)
        return self.gains.get((earlier, later), nothing)

    def gained(self, place: int) -> float:
        """Throughput over that of the first point, paired as `gain` is where it can be."""
        paired = self.gain(0, place).value
        if math.isfinite(paired):
            return paired
        return self.points[place].per_s / self.points[0].per_s

    def efficiency(self, place: int) -> float | None:
        """The gain over how many times as much was used; None where that is no number."""
        first, value = self.points[0].value, self.points[place].value
        if self.axis.kind not in (Kind.BATCH, Kind.THREADS):
            return None
        if isinstance(value, str) or isinstance(first, str):
            return None
        return self.gained(place) * first / value

    def within(self, latency_s: float) -> SweepPoint | None:
        """The last point whose call takes no longer, its interval included where it has one."""
        short = [point for point in self.points if _at_most(point.call) <= latency_s]
        return short[-1] if short else None


def _at_most(call: Estimate) -> float:
    return call.high if math.isfinite(call.high) else call.value


def sweeps(run: Measured) -> list[Sweep]:
    """Of every axis that the run varied, training before inference."""
    timed = [
        cell
        for cell in run.cells
        if cell.phase in PURPOSES and cell.cell_id in run.visits and not run.time_doubt(cell)
    ]
    return [
        sweep
        for axis in _axes(run)
        for cells in _alike(run, axis, timed)
        if (sweep := _sweep(run, axis, cells)) is not None
    ]


def _axes(run: Measured) -> list[Axis]:
    """Those that any run has, and the parameters of this one's workloads."""
    names = [name for values in run.settings.parameters.values() for name in values]
    return [BATCH, THREADS, TYPE, *(Axis(Kind.PARAMETER, name) for name in dict.fromkeys(names))]


def _alike(run: Measured, axis: Axis, cells: Iterable[CellRow]) -> list[list[CellRow]]:
    """Cells that differ in what the axis varies and in nothing else."""
    groups: dict[Hashable, list[CellRow]] = {}
    for cell in cells:
        same = _same(run, axis, cell)
        if same is not None:
            groups.setdefault(same, []).append(cell)
    order = list(PURPOSES)
    kept = [group for group in groups.values() if len(group) > 1]
    return sorted(kept, key=lambda group: order.index(group[0].phase))


def _same(run: Measured, axis: Axis, cell: CellRow) -> Hashable | None:
    """What cells of one sweep have in common; None for a cell that has nothing of the axis."""
    if axis.kind is Kind.PARAMETER:
        return _same_but_parameter(run, axis.parameter, cell)
    return _SAME[axis.kind](cell)


def _same_but_parameter(run: Measured, name: str, cell: CellRow) -> Hashable | None:
    values = run.settings.parameters.get(cell.workload, {})
    if name not in values:
        return None
    others = tuple(sorted((key, str(value)) for key, value in values.items() if key != name))
    return _builder(cell.workload), others, cell.batch_size, cell.phase, cell.key.arm


def _builder(workload: str) -> str:
    """A workload's name without what sets it apart from others of its builder."""
    return workload.partition("[")[0]


def _same_but_batch(cell: CellRow) -> Hashable:
    return cell.workload, cell.phase, cell.key.arm


def _same_but_threads(cell: CellRow) -> Hashable:
    return cell.case, cell.phase, replace(cell.key.arm, threads=1)


def _same_but_type(cell: CellRow) -> Hashable:
    return cell.case, cell.phase, replace(cell.key.arm, dtype=DType.FLOAT32)


_SAME: dict[Kind, Callable[[CellRow], Hashable]] = {
    Kind.BATCH: _same_but_batch,
    Kind.THREADS: _same_but_threads,
    Kind.TYPE: _same_but_type,
}


def _value(run: Measured, axis: Axis, cell: CellRow) -> Value:
    if axis.kind is Kind.BATCH:
        return cell.batch_size
    if axis.kind is Kind.THREADS:
        return cell.key.arm.threads
    if axis.kind is Kind.TYPE:
        return str(cell.key.arm.dtype)
    return _as_value(run.settings.parameters[cell.workload][axis.parameter])


def _as_value(value: Any) -> Value:
    """A number as it is; whatever else by its name."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else str(value)


def _sweep(run: Measured, axis: Axis, cells: list[CellRow]) -> Sweep | None:
    """None where two points have one value, which is no sweep."""
    valued = [(_value(run, axis, cell), cell) for cell in cells]
    if len({value for value, _ in valued}) < len(valued):
        return None
    if not any(isinstance(value, str) for value, _ in valued):
        valued.sort(key=lambda pair: float(pair[0]))
    ordered = [cell for _, cell in valued]
    first = ordered[0]
    is_parameter = axis.kind is Kind.PARAMETER
    return Sweep(
        axis=axis,
        workload=_builder(first.workload) if is_parameter else first.workload,
        batch_size=None if axis.kind is Kind.BATCH else first.batch_size,
        phase=first.phase,
        arm=_name_without(axis, first),
        backend=first.backend,
        points=tuple(_point(run, value, cell) for value, cell in valued),
        gains=_gains(run, ordered),
    )


def _point(run: Measured, value: Value, cell: CellRow) -> SweepPoint:
    call = absolute_time(run.visits[cell.cell_id], run.dropped[cell.case])
    nan = float("nan")
    shown = replace(call, low=nan, high=nan) if too_wide(call) else call
    return SweepPoint(value, cell.batch_size, shown, _unit(run, cell), cell.workload)


def _unit(run: Measured, cell: CellRow) -> Unit:
    return run.settings.units.get(cell.workload, EXAMPLES)


def _gains(run: Measured, cells: list[CellRow]) -> dict[tuple[int, int], Estimate]:
    """Every later point over every earlier one."""
    return {
        (earlier, later): _gain(run, cells[earlier], cells[later])
        for later in range(len(cells))
        for earlier in range(later)
    }


def _gain(run: Measured, earlier: CellRow, later: CellRow) -> Estimate:
    """Throughput over throughput; a generation is the unit of its interval, as everywhere."""
    work = _work(run, later) / _work(run, earlier)
    effects = [math.log(work) - effect for effect in _log_ratios(run, earlier, later).values()]
    estimate = exp_interval(*mean_interval(effects), len(effects))
    nan = float("nan")
    return replace(estimate, low=nan, high=nan) if too_wide(estimate) else estimate


def _work(run: Measured, cell: CellRow) -> int:
    return cell.batch_size * _unit(run, cell).each


def _log_ratios(run: Measured, earlier: CellRow, later: CellRow) -> ByGeneration:
    """Time of the later over the earlier by generation: paired in rounds where both are of one
    case; cases have rounds of their own, and are held together generation by generation.
    """
    if earlier.case == later.case:
        return effects_by_generation(run.pairs(later, earlier))
    old, new = (_log_times(run, cell) for cell in (earlier, later))
    return {number: new[number] - old[number] for number in sorted(set(old) & set(new))}


def _log_times(run: Measured, cell: CellRow) -> ByGeneration:
    """The logarithm of `Measured.generation_times_s`, by generation."""
    kept = run.visits[cell.cell_id].without(run.dropped[cell.case])
    numbers = np.unique(kept.generation).tolist()
    return dict(zip(numbers, np.log(run.generation_times_s(cell)).tolist(), strict=True))


def _name_without(axis: Axis, cell: CellRow) -> str:
    hidden = {Kind.THREADS: "threads", Kind.TYPE: "dtype"}.get(axis.kind, "")
    shown = tuple(option for option in cell.key.arm.shown if option != hidden)
    return replace(cell.key.arm, shown=shown).name
