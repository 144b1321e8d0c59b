"""Each cell as a series over the runs of one machine: a point a run, with its interval, broken
where something changed that its times hang on.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..execution.agreement_rows import agreement_rows, unproven
from ..execution.measured import Measured, measured
from ..execution.stored_settings import RunSettings
from ..protocol.keys import CaseKey
from ..spec.phases import Phase
from ..stats.apart import log_times
from ..stats.estimates import Estimate, exp_interval, mean_interval
from ..stats.geometric import effects_by_generation
from ..store.frames import records
from ..store.run_rows import CellRow, RunRow
from ..store.store import Store
from .cells import timed
from .conditions import Conditions, Environment, conditions_of, environment_of


class Unit(StrEnum):
    """What the times of a run are divided by before they are set beside another run's."""

    CONTROL = "control"
    BASE = "base"
    SECONDS = "seconds"
    """Nothing: seconds a call, of runs that another tool recorded, which have no control."""

    @property
    def words(self) -> str:
        """What a figure in it is, behind the figure."""
        return "seconds a call" if self is Unit.SECONDS else f"times the {self}"

    @property
    def plural(self) -> str:
        """What figures are in."""
        return "seconds" if self is Unit.SECONDS else f"units of the {self}"

    def suits(self, settings: RunSettings) -> bool:
        """Whether the times of such a run can be in it: imported ones, or dnnbench's own."""
        return bool(settings.imported) == (self is Unit.SECONDS)


def unit_of(settings: RunSettings) -> Unit:
    """The unit of a run where none is named."""
    return Unit.SECONDS if settings.imported else Unit.CONTROL


@dataclass(frozen=True)
class SeriesKey:
    """A cell over runs: what of its identity must stay for it to be one series.

    Its workload's specification may change, which breaks the series.
    """

    case: CaseKey
    phase: Phase
    arm_key: str


@dataclass(frozen=True)
class Point:
    """A cell in one run: its time in the run's unit.

    estimate: over the run's generations; NaN limits below two.
    """

    run: RunRow
    estimate: Estimate
    conditions: Conditions
    environment: Environment
    objection: str = ""
    """Why it is shown and not judged; empty where it is."""

    @property
    def log(self) -> float:
        return float(np.log(self.estimate.value))


@dataclass(frozen=True)
class Segment:
    """Points in a row that were measured under the same conditions."""

    points: tuple[Point, ...]
    changes: tuple[str, ...] = ()
    """What changed from the segment before; empty of the first."""

    @property
    def judged(self) -> tuple[Point, ...]:
        """Those that nothing speaks against."""
        return tuple(point for point in self.points if not point.objection)


@dataclass(frozen=True)
class Series:
    """One cell over runs, oldest first."""

    key: SeriesKey
    arm: str
    """As the newest run prints it."""
    backend: str
    segments: tuple[Segment, ...]
    unit: Unit

    @property
    def points(self) -> tuple[Point, ...]:
        """Of all segments."""
        return tuple(point for segment in self.segments for point in segment.points)

    @property
    def name(self) -> str:
        """Case, phase and arm."""
        return f"{self.key.case} {self.key.phase} {self.arm}"


def series_of(
    store: Store, runs: Sequence[RunRow], unit: Unit, workloads: Collection[str] = ()
) -> list[Series]:
    """The series of every cell that `runs` measured, in the order in which cells first came.

    runs: of one machine, oldest first.  workloads: those wanted; none for all.
    """
    points: dict[SeriesKey, list[Point]] = defaultdict(list)
    newest: dict[SeriesKey, CellRow] = {}
    for row in runs:
        run = measured(store, row.run_id)
        for cell, point in _points(store, run, unit, workloads):
            key = SeriesKey(cell.case, cell.phase, cell.arm_key)
            points[key].append(point)
            newest[key] = cell
    return [
        Series(key, newest[key].arm, newest[key].backend, tuple(_segments(several)), unit)
        for key, several in points.items()
    ]


def _points(
    store: Store, run: Measured, unit: Unit, workloads: Collection[str]
) -> Iterator[tuple[CellRow, Point]]:
    wrong = unproven(agreement_rows(records(store.agreement(run.run.run_id))))
    environment = environment_of(run)
    for cell in timed(run).values():
        if workloads and cell.workload not in workloads:
            continue
        logs = _log_times(run, cell, unit)
        if not len(logs):
            continue
        unlike = wrong.get((cell.arm, cell.workload))
        objection = run.time_doubt(cell) or (f"it {unlike.sentence}" if unlike else "")
        if not np.isfinite(logs).all():
            objection = "a time in it is none"
        if not objection and len(logs) < 2 and unit is not Unit.SECONDS:
            objection = "one generation gives no interval"
        estimate = exp_interval(*mean_interval(logs), len(logs))
        conditions = conditions_of(run, cell, unit is Unit.BASE)
        yield cell, Point(run.run, estimate, conditions, environment, objection)


def _log_times(run: Measured, cell: CellRow, unit: Unit) -> Sequence[float]:
    """One a generation, in the unit; none where the run has no such unit for the cell."""
    if not unit.suits(run.settings):
        return ()
    if unit is Unit.SECONDS:
        return list(log_times(run.recorded(cell), normal=False))
    if unit is Unit.CONTROL:
        recorded = run.recorded(cell)
        return () if recorded.control is None else log_times(recorded, normal=True).tolist()
    if run.is_base(cell) or run.not_ranked(cell):
        return ()
    return list(effects_by_generation(run.against_base(cell)).values())


def _segments(points: Sequence[Point]) -> Iterator[Segment]:
    begin = 0
    changes: tuple[str, ...] = ()
    for place in range(1, len(points)):
        if points[place].conditions != points[place - 1].conditions:
            yield Segment(tuple(points[begin:place]), changes)
            begin = place
            changes = points[place].conditions.changes_from(points[place - 1].conditions)
    yield Segment(tuple(points[begin:]), changes)
