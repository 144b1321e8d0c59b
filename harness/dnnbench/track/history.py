"""How every cell of one machine fared from run to run: its series, and their change points."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ..errors import NothingMeasured, UsageError
from ..stats.change_limits import LEAST_POINTS, limit_of
from ..stats.change_points import ChangePoint, find_change_points, missing
from ..store.frames import records
from ..store.run_rows import RunRow, run_rows
from ..store.store import Store
from ..wording import near_miss
from .series import Point, Segment, Series, Unit, runs_by_machine, series_of

LEAST_TOGETHER = 3
MOST_TOGETHER = 0.6
"""From this share of the cells on a change point is the machine's before it is a cell's."""


@dataclass(frozen=True)
class Machine:
    """Whose runs a history has."""

    id: str
    label: str | None

    @property
    def name(self) -> str:
        return self.label or f"machine {self.id}"


@dataclass(frozen=True)
class SeriesChange:
    """A change point of one series, with the runs around it.

    before: the last point that certainly lies before it.  after: the first that certainly lies
    behind it.  seen: the point with which it was first reported.
    """

    series: Series
    point: ChangePoint
    before: Point
    after: Point
    seen: Point

    @property
    def also_changed(self) -> tuple[str, ...]:
        """What else of the environment is another after it."""
        return self.after.environment.changes_from(self.before.environment)

    @property
    def revisions(self) -> str:
        """`BEFORE..AFTER`, as git names a range; empty where a run recorded no revision."""
        before, after = self.before.run.revision, self.after.run.revision
        return f"{before}..{after}" if before and after else ""

    @property
    def is_slower(self) -> bool:
        return self.point.evidence.change > 0


@dataclass(frozen=True)
class Trend:
    """A series and its change points, oldest first."""

    series: Series
    change_points: tuple[SeriesChange, ...]

    @property
    def newest(self) -> Point:
        return self.series.points[-1]


@dataclass(frozen=True)
class History:
    """The trends of one machine's cells."""

    machine: Machine
    unit: Unit
    runs: tuple[RunRow, ...]
    trends: tuple[Trend, ...]
    limit: float
    """The p value up to which a change point is reported."""
    no_search: str
    """Why no change points were looked for; empty where they were."""
    notes: tuple[str, ...]
    """What is not in it, and why."""

    @property
    def change_points(self) -> list[SeriesChange]:
        """Of all cells, the newest first."""
        every = [change for trend in self.trends for change in trend.change_points]
        return sorted(every, key=lambda change: change.seen.run.created, reverse=True)

    def together(self, change: SeriesChange) -> int:
        """How many cells moved the same way between the same runs, itself included; 0 where they
        are not most of three or more.
        """
        same = [
            other
            for trend in self.trends
            for other in trend.change_points
            if other.is_slower == change.is_slower and _overlap(other, change)
        ]
        cells = len({other.series.key for other in same})
        return cells if cells >= MOST_TOGETHER * max(len(self.trends), LEAST_TOGETHER) else 0

    @property
    def new_slowdowns(self) -> list[SeriesChange]:
        """Change points to slower that the newest run reported first."""
        newest = self.runs[-1].run_id
        return [
            change
            for change in self.change_points
            if change.is_slower and change.seen.run.run_id == newest
        ]


def history(
    store: Store,
    workloads: Collection[str] = (),
    *,
    machine: str = "",
    since: str = "",
    unit: Unit = Unit.CONTROL,
) -> History:
    """The history of a store's runs on one machine.

    machine: its id, the beginning of it, or its label; by default that of the newest run. since:
    leave out runs begun before, ISO 8601 in UTC.  NothingMeasured where no run is left that timed
    anything, UsageError for a machine or a workload that the store does not have.
    """
    rows = run_rows(store.runs())
    if not rows:
        raise NothingMeasured(
            f"store {store.place}: holds no run yet; make one with `dnnbench run`"
        )
    in_order, notes = with_sound_clocks(rows)
    by_machine = runs_by_machine([run for run in in_order if run.created >= since])
    if not by_machine:
        why = "; ".join(notes) or f"none was begun since {since[:16]}"
        raise NothingMeasured(f"store {store.place}: no run to show: {why}")
    chosen = _machine(store, machine) if machine else next(iter(by_machine))
    runs = _that_timed(store, by_machine.get(chosen, []), workloads)
    series = series_of(store, runs, unit, workloads)
    if not series:
        raise NothingMeasured(
            f"store {store.place}: {len(runs)} run(s) of machine {chosen} timed no cell in units "
            f"of the {unit}; `dnnbench runs list` shows what they measured"
        )
    own = (*_of_others(by_machine, chosen), *notes)
    return searched(Machine(chosen, runs[-1].machine_label), runs, series, unit, own)


def searched(
    machine: Machine,
    runs: Sequence[RunRow],
    series: Sequence[Series],
    unit: Unit,
    notes: Sequence[str] = (),
) -> History:
    """The history that series of a machine's runs make, with the change points in them."""
    limit = limit_of(len(series))
    no_search = missing() or ""
    trends = tuple(Trend(one, () if no_search else _change_points(one, limit)) for one in series)
    notes = (*notes, *_too_short(series))
    return History(machine, unit, tuple(runs), trends, limit, no_search, notes)


def with_sound_clocks(rows: Sequence[RunRow]) -> tuple[list[RunRow], list[str]]:
    """The runs whose place in time is certain, and why others are left out."""
    sound = [run for run in rows if run.finished is None or run.finished >= run.created]
    notes = [
        f"run {run.run_id} is left out: it ended ({run.finished}) before it began ({run.created}), "
        "so the clock went backwards and its place is not certain"
        for run in rows
        if run not in sound
    ]
    return sound, notes


def _machine(store: Store, text: str) -> str:
    """The id of the one machine of that label, or whose id (or an older one of its) begins so."""
    rows = records(store.machines())
    ids = [row["machine_id"] for row in rows if row["machine_label"] == text] or [
        row["machine_id"]
        for row in rows
        if any(name.startswith(text) for name in (row["machine_id"], *row["aliases"]))
    ]
    if len(ids) != 1:
        names = ", ".join(row["machine_label"] or row["machine_id"] for row in rows[:10])
        count = "no machine" if not ids else f"{len(ids)} machines"
        raise UsageError(f"--machine {text}: {count} of the store is called so; it has {names}")
    return str(ids[0])


def _that_timed(store: Store, runs: Sequence[RunRow], workloads: Collection[str]) -> list[RunRow]:
    """Runs that have cells of the workloads; UsageError for a workload that no run has."""
    cells = store.cells([run.run_id for run in runs])
    cells = cells[cells["workload"] != ""]
    names = set(cells["workload"])
    for name in workloads:
        if name not in names:
            raise UsageError(
                f"history: no run shown here timed a workload '{name}'{near_miss(name, names)}"
            )
    if workloads:
        cells = cells[cells["workload"].isin(list(workloads))]
    with_cells = set(cells["run_id"])
    return [run for run in runs if run.run_id in with_cells]


def _of_others(by_machine: Mapping[str, Sequence[RunRow]], chosen: str) -> list[str]:
    """How many runs of other machines are not in it: times of two machines make no series."""
    others = [runs for machine, runs in by_machine.items() if machine != chosen]
    if not others:
        return []
    names = [runs[-1].machine_label or runs[-1].machine_id for runs in others]
    count = sum(map(len, others))
    return [f"{count} run(s) of other machines are not shown: --machine {' or '.join(names[:5])}"]


def _too_short(series: Sequence[Series]) -> list[str]:
    """That no series is long enough to look for a change point in."""
    longest = max(len(segment.judged) for one in series for segment in one.segments)
    if longest >= LEAST_POINTS:
        return []
    return [
        f"no series has the {LEAST_POINTS} runs under the same conditions that a search for change "
        f"points needs; the longest has {longest}"
    ]


def _change_points(series: Series, limit: float) -> tuple[SeriesChange, ...]:
    return tuple(
        _around(series, segment, change)
        for segment in series.segments
        for change in find_change_points([point.log for point in segment.judged], limit)
    )


def _overlap(one: SeriesChange, other: SeriesChange) -> bool:
    """Whether both may have happened between the same two runs."""
    begins = max(one.before.run.created, other.before.run.created)
    return begins < min(one.after.run.created, other.after.run.created)


def _around(series: Series, segment: Segment, change: ChangePoint) -> SeriesChange:
    points = segment.judged
    return SeriesChange(
        series, change, points[change.earliest - 1], points[change.latest], points[change.seen]
    )
