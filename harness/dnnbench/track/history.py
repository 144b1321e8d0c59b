"""How every cell of one machine fared from run to run: its series, and their change points."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..errors import NothingMeasured, UsageError
from ..execution.stored_settings import run_settings
from ..stats.change_limits import LEAST_POINTS, limit_of
from ..stats.change_points import ChangePoint, find_change_points, missing
from ..store.frames import records
from ..store.run_rows import RunRow, run_rows
from ..store.store import Store
from ..wording import near_miss
from .series import Point, Segment, Series, Unit, series_of, unit_of

NO_CONTROL = (
    "absolute seconds of one process a run, without a control to divide by: a day on which the "
    "machine was slower looks like slower code"
)
"""What imported runs cannot say."""
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
    imported: tuple[str, ...] = ()
    """The tools that recorded the runs, with their versions; empty of dnnbench's own."""

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
    unit: Unit | None = None,
) -> History:
    """The history of a store's runs on one machine.

    machine: its id, the beginning of it, or its label; by default that of the newest run. since:
    leave out runs begun before, ISO 8601 in UTC.  unit: by default that of the newest run, the
    control or, of imported runs, seconds.  NothingMeasured where no run is left that timed
    anything, UsageError for a machine or a workload that the store does not have.
    """
    rows = run_rows(store.runs())
    if not rows:
        raise NothingMeasured(
            f"store {store.place}: holds no run yet; make one with `dnnbench run`"
        )
    in_order, notes = with_sound_clocks(rows)
    begun = [run for run in in_order if run.created >= since]
    if not begun:
        why = "; ".join(notes) or f"none was begun since {since[:16]}"
        raise NothingMeasured(f"store {store.place}: no run to show: {why}")
    wanted = _machine(store, machine) if machine else ""
    begun_there = [run for run in begun if not wanted or run.machine_id == wanted]
    if unit is None:
        unit = unit_of(run_settings(begun_there[-1].settings)) if begun_there else Unit.CONTROL
    shown = [run for run in begun_there if unit.suits(run_settings(run.settings))]
    chosen = shown[-1].machine_id if shown else wanted
    runs = [run for run in shown if run.machine_id == chosen]
    runs = _that_timed(store, runs, workloads)
    series = series_of(store, runs, unit, workloads)
    if not series:
        whose = f" of machine {chosen}" if chosen else ""
        raise NothingMeasured(
            f"store {store.place}: {len(runs)} run(s){whose} timed no cell that can be shown in "
            f"{unit.plural}; `dnnbench runs list` shows what they measured"
        )
    own = (*_of_others(begun, chosen, unit), *notes)
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
    settings = [run_settings(run.settings) for run in runs]
    imported = tuple(dict.fromkeys(each.imported for each in settings if each.imported))
    notes = (*([NO_CONTROL] if imported else []), *notes, *_too_short(series))
    return History(machine, unit, tuple(runs), trends, limit, no_search, notes, imported)


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


def _of_others(runs: Sequence[RunRow], chosen: str, unit: Unit) -> list[str]:
    """How many runs are not in it: those of other machines, whose times make no series with these,
    and those that another tool recorded, or dnnbench where these are another tool's.
    """
    alike = [run for run in runs if unit.suits(run_settings(run.settings))]
    notes = []
    if others := [run for run in alike if run.machine_id != chosen]:
        # The newest first: who looks for another machine wants the one that still measures.
        names = dict.fromkeys(run.machine_label or run.machine_id for run in reversed(others))
        machines = " or ".join(list(names)[:5])
        notes.append(f"{len(others)} run(s) of other machines are not shown: --machine {machines}")
    if unlike := len(runs) - len(alike):
        whose, other = (
            ("of dnnbench's own", Unit.CONTROL)
            if unit is Unit.SECONDS
            else ("imported from other tools", Unit.SECONDS)
        )
        notes.append(f"{unlike} run(s) {whose} are not shown: --unit {other}")
    return notes


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
