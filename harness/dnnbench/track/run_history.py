"""What a report and a gate's Markdown say of the runs before theirs: the history of their cells."""

from collections.abc import Collection
from dataclasses import replace
from itertools import islice

from ..errors import StoreError
from ..execution.gate_cells import Gate
from ..execution.stored_settings import run_settings
from ..protocol.keys import CellKey
from ..report.evidence import Evidence
from ..report.section import Section, Table
from ..spec.phases import PURPOSES
from ..store.identity import canonical_json
from ..store.run_rows import RunRow, run_rows
from ..store.store import Store
from ..wording import counted
from .history import History, Machine, Trend, searched, with_sound_clocks
from .outcome import (
    MOST_CHANGES,
    chance,
    change_words,
    newest_change,
    points_table,
    short_table,
    title_of,
    trend_chart,
)
from .series import SeriesKey, Unit, series_of, unit_of

MOST_RUNS = 20
"""The newest so many are read: a report is written in seconds, and a store grows."""
FEWEST_RUNS = 3
"""Of a cell, below which there is nothing to see."""
MOST_CELLS = 12
"""Cells that are shown: a page stays small enough to be sent."""
LEAD = (
    f"Each cell of this run over the newest {MOST_RUNS} runs of its machine up to it, in {{unit}}; "
    "hollow: not judged. A dashed line: something changed that times hang on, and the series "
    "begins anew. A level ends at a change point, whose size is one after selection. dnnbench "
    "history has all runs."
)
IN_UNITS = {
    Unit.CONTROL: "units of the control that every run visits",
    Unit.SECONDS: "seconds a call",
}


def with_history(evidence: Evidence, store: Store) -> Evidence:
    """The evidence with a section about its cells over the runs of its machine up to it; without
    one where no cell has FEWEST_RUNS of them.

    store: where its run is.  A store of which another run cannot be read costs no report: the
    section says so.
    """
    keys = {_series_key(cell.key) for cell in evidence.measured.cells}
    try:
        history = _history_of(store, evidence.run, keys)
    except StoreError as error:
        return replace(evidence, history=Section("history", "History", doubts=(str(error),)))
    return evidence if history is None else replace(evidence, history=_section(history))


def gate_trend(store: Store, gate: Gate) -> Section | None:
    """The trend of a gate's cells over the runs of its machine up to it; None where none has
    FEWEST_RUNS of them.

    An arm counts without its environment, too: as it is measured night after night.
    """
    (run,) = run_rows(store.runs(gate.screen_run))
    keys = [cell.key for cell in gate.cells]
    plain = [replace(key, arm=replace(key.arm, environment="")) for key in keys]
    history = _history_of(store, run, {_series_key(key) for key in (*keys, *plain)})
    if history is None:
        return None
    return Section(
        id="gate-trend",
        title=f"Trend: {title_of(history)}",
        sentences=_change_points(history),
        tables=(short_table(_in_order(history)),),
        lead=f"In units of the {history.unit}; no part of the outcome. {_certainty(history)}",
        doubts=history.notes,
    )


def _series_key(key: CellKey) -> SeriesKey:
    return SeriesKey(key.case, key.phase, canonical_json(key.arm.to_json()))


def _history_of(store: Store, run: RunRow, keys: Collection[SeriesKey]) -> History | None:
    """Of some cells over the newest runs of the run's machine up to it."""
    mine = [row for row in run_rows(store.runs()) if row.machine_id == run.machine_id]
    rows, notes = with_sound_clocks(mine)
    workloads = {key.case.workload for key in keys}
    unit = unit_of(run_settings(run.settings))
    newest_first = (
        row
        for row in reversed(rows)
        if row.created <= run.created and _may_have(row, unit, workloads)
    )
    runs = list(islice(newest_first, MOST_RUNS))[::-1]
    every = series_of(store, runs, unit, workloads)
    series = [one for one in every if one.key in keys and len(one.points) >= FEWEST_RUNS]
    if not series:
        return None
    with_points = {point.run.run_id for one in series for point in one.points}
    runs = [row for row in runs if row.run_id in with_points]
    return searched(Machine(run.machine_id, run.machine_label), runs, series, unit, notes)


def _may_have(row: RunRow, unit: Unit, workloads: Collection[str]) -> bool:
    """Whether the run may have cells of the workloads in that unit, by its settings alone: an
    imported run does not list its workloads there.
    """
    settings = run_settings(row.settings)
    listed = bool(settings.imported) or not settings.tasks.keys().isdisjoint(workloads)
    return unit.suits(settings) and listed


def _section(history: History) -> Section:
    trends = _in_order(history)
    shown = trends[:MOST_CELLS]
    more = len(trends) - len(shown)
    left_out = [f"and {counted(more, 'more cell')}, as dnnbench history has them"] if more else []
    return Section(
        id="history",
        title="History",
        sentences=(title_of(history), *_change_points(history), *left_out),
        tables=(short_table(shown), *map(_points, shown)),
        charts=tuple(trend_chart(history, trend) for trend in shown),
        lead=f"{LEAD.format(unit=IN_UNITS[history.unit])} {_certainty(history)}",
        brief=history.unit.words,
        doubts=history.notes,
    )


def _points(trend: Trend) -> Table:
    title = f"{trend.series.name}: every point"
    return replace(points_table(trend), title=title, folded=True, of_chart=True)


def _in_order(history: History) -> list[Trend]:
    """What changed last first, then training steps and inferences."""
    ordered = sorted(history.trends, key=lambda trend: trend.series.key.phase not in PURPOSES)
    return sorted(ordered, key=newest_change, reverse=True)


def _change_points(history: History) -> tuple[str, ...]:
    """In words, the newest first; of many, how many more there are."""
    every = history.change_points
    said = [change_words(history, change) for change in every[:MOST_CHANGES]]
    more = len(every) - len(said)
    rest = [f"and {counted(more, 'more change')}, as the table has them"] if more else []
    return (*said, *rest)


def _certainty(history: History) -> str:
    """What the search may get wrong, or why there was none."""
    return f"Without steps: {history.no_search}." if history.no_search else chance(history)
