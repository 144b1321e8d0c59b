"""Sweeps: the same network and arm where one thing alone varies, and where it stops to gain."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from ..execution.measured import Measured
from ..protocol.dtypes import DType
from ..spec.phases import PURPOSES
from ..stats.estimates import Estimate, absolute_time
from ..stats.verdict import too_wide
from ..store.run_rows import CellRow

LEAST_GAIN = 0.1
"""A next value that gains less, in examples a second, gains nothing that counts."""


class Axis(StrEnum):
    """What varies along a sweep."""

    BATCH = "batch size"
    THREADS = "threads"
    TYPE = "type"


@dataclass(frozen=True)
class SweepPoint:
    """A value of what varies, and the time of a call there."""

    value: int | str
    batch_size: int
    call: Estimate

    @property
    def examples_per_s(self) -> float:
        return self.batch_size / self.call.value


@dataclass(frozen=True)
class Sweep:
    """One arm of one workload along one axis, two points or more, from the least value on."""

    axis: Axis
    workload: str
    batch_size: int | None
    """None where it is what varies."""
    phase: str
    arm: str
    """Its name without what varies."""
    backend: str
    points: tuple[SweepPoint, ...]

    @property
    def best(self) -> SweepPoint:
        """The one with most examples a second."""
        return max(self.points, key=lambda point: point.examples_per_s)

    @property
    def enough(self) -> SweepPoint:
        """The first one after which no next one gains `LEAST_GAIN`."""
        stops = self.points[0]
        for before, point in zip(self.points, self.points[1:], strict=False):
            if point.examples_per_s > (1 + LEAST_GAIN) * before.examples_per_s:
                stops = point
        return stops

    def gain(self, point: SweepPoint) -> float:
        """Examples a second over those of the first point."""
        return point.examples_per_s / self.points[0].examples_per_s

    def efficiency(self, point: SweepPoint) -> float | None:
        """The gain over how many times as much was used; None where that is no number."""
        first = self.points[0].value
        if isinstance(point.value, str) or isinstance(first, str):
            return None
        return self.gain(point) * first / point.value

    def within(self, latency_s: float) -> SweepPoint | None:
        """The last point whose call takes no longer."""
        short = [point for point in self.points if point.call.value <= latency_s]
        return short[-1] if short else None


def sweeps(run: Measured) -> list[Sweep]:
    """Of every axis that the run varied, training before inference."""
    timed = [
        cell
        for cell in run.cells
        if cell.phase in PURPOSES and cell.cell_id in run.visits and not run.time_doubt(cell)
    ]
    return [
        sweep
        for axis in Axis
        for cells in _alike(axis, timed)
        if (sweep := _sweep(run, axis, cells)) is not None
    ]


def _alike(axis: Axis, cells: Iterable[CellRow]) -> list[list[CellRow]]:
    """Cells that differ in what the axis varies and in nothing else."""
    groups: dict[Any, list[CellRow]] = {}
    for cell in cells:
        groups.setdefault(_SAME[axis](cell), []).append(cell)
    order = list(PURPOSES)
    kept = [group for group in groups.values() if len(group) > 1]
    return sorted(kept, key=lambda group: order.index(group[0].phase))


def _same_but_batch(cell: CellRow) -> tuple[Any, ...]:
    return cell.workload, cell.phase, cell.key.arm


def _same_but_threads(cell: CellRow) -> tuple[Any, ...]:
    return cell.case, cell.phase, replace(cell.key.arm, threads=1)


def _same_but_type(cell: CellRow) -> tuple[Any, ...]:
    return cell.case, cell.phase, replace(cell.key.arm, dtype=DType.FLOAT32)


_SAME: dict[Axis, Callable[[CellRow], tuple[Any, ...]]] = {
    Axis.BATCH: _same_but_batch,
    Axis.THREADS: _same_but_threads,
    Axis.TYPE: _same_but_type,
}


def _value(axis: Axis, cell: CellRow) -> int | str:
    if axis is Axis.BATCH:
        return cell.batch_size
    return cell.key.arm.threads if axis is Axis.THREADS else str(cell.key.arm.dtype)


def _sweep(run: Measured, axis: Axis, cells: list[CellRow]) -> Sweep | None:
    """None where two points have one value, which is no sweep."""
    first = cells[0]
    points = [_point(run, axis, cell) for cell in cells]
    if len({point.value for point in points}) < len(points):
        return None
    if axis is not Axis.TYPE:
        points.sort(key=lambda point: point.value)
    return Sweep(
        axis=axis,
        workload=first.workload,
        batch_size=None if axis is Axis.BATCH else first.batch_size,
        phase=first.phase,
        arm=_name_without(axis, first),
        backend=first.backend,
        points=tuple(points),
    )


def _point(run: Measured, axis: Axis, cell: CellRow) -> SweepPoint:
    call = absolute_time(run.visits[cell.cell_id], run.dropped[cell.case])
    nan = float("nan")
    shown = replace(call, low=nan, high=nan) if too_wide(call) else call
    return SweepPoint(_value(axis, cell), cell.batch_size, shown)


def _name_without(axis: Axis, cell: CellRow) -> str:
    hidden = {Axis.THREADS: "threads", Axis.TYPE: "dtype"}.get(axis, "")
    shown = tuple(option for option in cell.key.arm.shown if option != hidden)
    return replace(cell.key.arm, shown=shown).name
