"""What a history comes to, as sections: every cell's trend, every change point, every point."""

from collections.abc import Iterator, Sequence
from functools import partial

from ..report.cells import about_case, arm_cell
from ..report.outcomes.short import CELL, in_short
from ..report.quantity import digits, interval, percent, ratio, seconds
from ..report.section import Cell, Column, Facet, Section, Table, Tone, table
from ..report.sparkline import sparkline
from ..report.trends import TrendChart, TrendPoint
from ..report.words import listed
from ..stats.change_limits import FAMILY_ALPHA, WINDOW
from ..wording import counted
from .history import History, SeriesChange, Trend
from .series import Point, Series, Unit

MOST_ROWS = 12
MOST_CHANGES = 6
ARM = Column("arm")
IN_SHORT = (
    CELL,
    ARM,
    Column("trend"),
    Column("runs", number=True, spare=2),
    Column("newest", number=True, spare_interval=1),
    Column("last change", number=True),
    Column("commits", spare=3),
)
EVERY_POINT = (
    Column("run"),
    Column("began, UTC", spare=2),
    Column("revision", spare=1),
    Column("time", number=True),
    Column("remark", prose=True, least=20),
)
SHORT_REVISION = 9


def history_sections(history: History) -> list[Section]:
    """The trends in short, with every change point in words; then each cell's points."""
    trends = sorted(history.trends, key=newest_change, reverse=True)
    shown, more = in_short(trends, MOST_ROWS, "cell")
    change_points, more_changes = in_short(
        [change_words(history, s) for s in history.change_points], MOST_CHANGES, "change"
    )
    outcome = Section(
        id="history",
        title=title_of(history),
        brief=history.unit.words,
        tables=(short_table(shown),),
        conclusions=(*more, *change_points, *more_changes),
        doubts=(*history.notes, *([history.no_search] if history.no_search else [])),
    )
    return [outcome, *(trend_section(history, trend) for trend in trends)]


def trend_section(history: History, trend: Trend) -> Section:
    """One cell: its chart, every point with its interval, its change points."""
    series = trend.series
    return Section(
        id=f"history-{_anchor(series)}",
        title=series.name,
        sentences=tuple(change_words(history, change) for change in trend.change_points),
        tables=(points_table(trend),),
        charts=(trend_chart(history, trend),),
    )


def short_table(trends: Sequence[Trend]) -> Table:
    """A row a cell: its trend as a line, the newest point, the last change."""
    return table(IN_SHORT, [_row(trend) for trend in trends])


def points_table(trend: Trend) -> Table:
    """Every point of a cell with its interval, what breaks the series there and what speaks against
    the point.
    """
    return table(EVERY_POINT, list(_point_rows(trend)))


def trend_chart(history: History, trend: Trend) -> TrendChart:
    """Every point of a cell over the time of its runs."""
    series = trend.series
    return TrendChart(
        f"{series.name}, {history.unit.words}",
        _chart_points(trend),
        series.backend,
        history.unit.words,
        tuple(segment.points[0].run.created for segment in series.segments[1:]),
        about=_about(series),
    )


def change_words(history: History, change: SeriesChange) -> str:
    """A change point as a sentence: how large, between which runs and commits, and what else
    changed.
    """
    estimate = change.point.evidence.estimate
    bounds = interval(estimate.low, estimate.high)
    kind = "drifted to" if change.point.is_drift else "changed to"
    where = f"between run {change.before.run.run_id} and run {change.after.run.run_id}"
    parts = [
        f"{change.series.name} {kind} {ratio(estimate.value)} times as long {bounds}, after "
        f"selection, {where}, first seen with run {change.seen.run.run_id}"
    ]
    if change.point.is_drift:
        parts.append("a line fits as well: no one run made it")
    if commits := short_range(change):
        parts.append(f"commits {commits}")
    if change.also_changed:
        parts.append(f"also changed: {', '.join(change.also_changed)}")
    if together := history.together(change):
        shared = "" if history.unit is Unit.SECONDS else f" and its {history.unit}"
        parts.append(
            f"{together} of {len(history.trends)} cells moved there the same way: look at the "
            f"machine{shared} first"
        )
    return "; ".join(parts)


def short_range(change: SeriesChange) -> str:
    """The range of commits as a reader can take it in."""
    before, after = change.before.run.revision, change.after.run.revision
    if not before or not after:
        return ""
    return f"{_short(before)}..{_short(after)}"


def _short(revision: str) -> str:
    """The first digits, and the sign of a working tree with changes."""
    return revision[:SHORT_REVISION] + ("+" if revision.endswith("+") else "")


def title_of(history: History) -> str:
    """How many cells and runs it has, of which machine and days, and what changed in them."""
    slower = sum(change.is_slower for change in history.change_points)
    faster = len(history.change_points) - slower
    cells, runs = counted(len(history.trends), "cell"), counted(len(history.runs), "run")
    days = dict.fromkeys(run.created[:10] for run in (history.runs[0], history.runs[-1]))
    lead = f"{cells} over {runs} of {history.machine.name}, {' to '.join(days)}"
    if history.imported:
        lead = f"{lead}, imported from {listed(history.imported)}"
    if history.no_search:
        return f"{lead}: change points were not looked for"
    if not history.change_points:
        return f"{lead}: no change point"
    counts = [
        f"{counted(n, 'change')} {way}" for n, way in ((slower, "slower"), (faster, "faster"))
    ]
    return f"{lead}: {listed([c for c in counts if not c.startswith('0')])}"


def chance(history: History) -> str:
    """What the search may get wrong, in a sentence."""
    return (
        f"Of equal runs at most {percent(FAMILY_ALPHA)} of histories of {WINDOW} show a change "
        f"point, all {counted(len(history.trends), 'cell')} and all looks together (p up to "
        f"{history.limit:.1e} of one)."
    )


def newest_change(trend: Trend) -> str:
    """When the run began that showed its last change point first; empty where it has none."""
    return max((change.seen.run.created for change in trend.change_points), default="")


def _row(trend: Trend) -> tuple[Cell, ...]:
    series, newest = trend.series, trend.newest
    key = series.key
    change = trend.change_points[-1] if trend.change_points else None
    return (
        Cell(f"{key.case} {key.phase}", about=_about(series)),
        arm_cell(series.arm, series.backend),
        Cell(trend_line(series)),
        Cell(str(len(series.points))),
        _figure(newest, series.unit),
        _change_cell(change),
        Cell("" if change is None else short_range(change), tone=Tone.QUIET),
    )


def trend_line(series: Series) -> str:
    """Its points as a sparkline, broken where it is."""
    return sparkline(
        [
            [None if point.objection else point.estimate.value for point in segment.points]
            for segment in series.segments
        ]
    )


def _figure(point: Point, unit: Unit) -> Cell:
    """With four digits: a night is told from another by less than a percent."""
    show = partial(seconds if unit is Unit.SECONDS else digits, count=4)
    estimate = point.estimate
    bounds = "" if point.objection else interval(estimate.low, estimate.high, show)
    return Cell(show(estimate.value), bounds, value=estimate.value)


def _change_cell(change: SeriesChange | None) -> Cell:
    if change is None:
        return Cell()
    share = change.point.evidence.estimate.value - 1
    sign = "+" if share > 0 else "-"
    tone = Tone.BAD if change.is_slower else Tone.GOOD
    return Cell(f"{sign}{percent(abs(share))}", tone=tone, remark="after selection")


def _point_rows(trend: Trend) -> Iterator[tuple[Cell, ...]]:
    change_points = {change.after.run.run_id: change for change in trend.change_points}
    about = _about(trend.series)
    for segment in trend.series.segments:
        for point in segment.points:
            remarks = []
            if segment.changes and point is segment.points[0]:
                remarks.append(f"the series breaks: {', '.join(segment.changes)}")
            if point.run.run_id in change_points:
                size = _change_cell(change_points[point.run.run_id]).text
                remarks.append(f"change point: {size}, after selection")
            if point.objection:
                remarks.append(f"not judged: {point.objection}")
            yield (
                Cell(point.run.run_id, about=about),
                Cell(point.run.created[:16].replace("T", " ")),
                Cell(_short(point.run.revision or "")),
                _figure(point, trend.series.unit),
                Cell("; ".join(remarks), tone=Tone.QUIET),
            )


def _chart_points(trend: Trend) -> tuple[TrendPoint, ...]:
    points = []
    level = 0
    starts = {change.after.run.run_id for change in trend.change_points}
    for segment in trend.series.segments:
        stretches: list[list[Point]] = [[]]
        for point in segment.points:
            if point.run.run_id in starts and stretches[-1]:
                stretches.append([])
            stretches[-1].append(point)
        for stretch in stretches:
            level += 1
            points += [_chart_point(point, level, _mean(stretch)) for point in stretch]
    return tuple(points)


def _chart_point(point: Point, level: int, mean: float) -> TrendPoint:
    estimate = point.estimate
    has_limits = estimate.low == estimate.low
    return TrendPoint(
        point.run.run_id,
        point.run.created,
        estimate.value,
        estimate.low if has_limits else None,
        estimate.high if has_limits else None,
        not point.objection,
        level,
        mean,
    )


def _mean(points: Sequence[Point]) -> float:
    judged = [p.estimate.value for p in points if not p.objection] or [
        p.estimate.value for p in points
    ]
    return sum(judged) / len(judged)


def _about(series: Series) -> dict[Facet, str]:
    key = series.key
    return {**about_case(key.case), Facet.PHASE: str(key.phase), Facet.ARM: series.arm}


def _anchor(series: Series) -> str:
    """A name for links, of letters that every medium takes."""
    text = f"{series.key.case}-{series.key.phase}-{series.arm}"
    return "".join(letter if letter.isalnum() else "-" for letter in text)
