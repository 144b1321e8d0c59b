"""A page of many cells: rows of those that tell most, and of all others a summary.

Sections are built whole, as the terminal and JSON have them; what a page would drown in is left out
here, and each section says so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import exp, log
from statistics import fmean
from typing import TypeVar

from ...wording import counted
from ..cells import arm_cell, figure, phase_cell
from ..evidence import Evidence, by_headline
from ..parts import Part
from ..quantity import factor
from ..section import Cell, Chart, Column, Facet, Section, Table, table
from ..summary_rows import CellSummary
from ..words import NOT_JUDGED
from .telling import MEANING, Telling, counted_by

MOST_CASES = 10
"""Cases of which charts and folded tables stay."""
MOST_UNNAMED = 40
"""Charts of a section, and folded tables of it."""
MOST_SENTENCES = 40
WHOLE = frozenset({"heat"})
"""Sections that show every workload beside every arm, by id: the way to all other cells."""
EVERY_CELL = "cells"
VERDICTS = ("FASTER", "SLOWER", "SAME", "UNDECIDED", NOT_JUDGED)
COLUMNS = (
    Column("phase", once=True),
    Column("arm"),
    Column("cells", number=True),
    *(Column(word, number=True) for word in VERDICTS),
    Column("no verdict", number=True),
    Column("mean ratio", number=True),
    Column("least", number=True),
    Column("most", number=True),
)
Item = TypeVar("Item")


def shown_part(part: Part) -> Part:
    """A part as the page shows it: itself, unless it is a run of too many cells."""
    if part.run is None or not (telling := Telling(part.run)).is_cut:
        return part
    return replace(part, sections=tuple(_cut(section, telling) for section in part.sections))


def _cut(section: Section, telling: Telling) -> Section:
    if section.id in WHOLE:
        return replace(section, doubts=_few(section.doubts))
    subjects = _Subjects(telling)
    tables = _without_many([subjects.rows_of(one) for one in section.tables])
    charts = _first(subjects.charts(section.charts), MOST_UNNAMED)
    left_out = _left_out(section, tables, charts)
    return replace(
        section,
        tables=(*tables, *_rest(section, telling)),
        charts=charts,
        sentences=_few(section.sentences),
        conclusions=_few(section.conclusions),
        doubts=_few(section.doubts),
        lead=" ".join(filter(None, [section.lead, left_out, _explained(section, telling)])),
    )


class _Subjects:
    """What the telling cells are about, to find rows and charts that are about them."""

    def __init__(self, telling: Telling) -> None:
        self._cells = [_facets(row) for row in telling.cells]
        self._cases = [(c.workload, str(c.batch_size)) for c in telling.cases[:MOST_CASES]]
        every = list(map(_facets, telling.run.rows))
        self._texts = {facet: {cell[facet] for cell in every} for facet in Facet}
        self._having: dict[tuple[Facet, ...], set[tuple[str, ...]]] = {}

    def rows_of(self, whole: Table) -> Table:
        """The table with its telling rows; a folded one, about one case, whole or empty."""
        if whole.folded:
            kept = all(self._is_of_cases(_about(row)) for row in whole.rows)
            return whole if kept else replace(whole, groups=())
        groups = [tuple(row for row in group if self._tells(_about(row))) for group in whole.groups]
        return replace(whole, groups=tuple(group for group in groups if group))

    def charts(self, charts: Iterable[Chart]) -> list[Chart]:
        """Those of the most telling cases, and those that are about none."""
        return [chart for chart in charts if self._is_of_cases(chart.about)]

    def _is_of_cases(self, about: Mapping[Facet, str]) -> bool:
        """Whether it is about the most telling cases, or about none."""
        workload, batch = about.get(Facet.WORKLOAD), about.get(Facet.BATCH)
        if workload is None:
            return True
        return any(workload == name and batch in (None, size) for name, size in self._cases)

    def _tells(self, about: Mapping[Facet, str]) -> bool:
        """Whether a telling cell has all that a row is about; a row about nothing stays."""
        # The type of a check, and an arm of a sweep without what varies, are no cell's.
        shared = [facet for facet in Facet if about.get(facet, "") in self._texts[facet]]
        return not shared or tuple(about[facet] for facet in shared) in self._all_having(shared)

    def _all_having(self, facets: Sequence[Facet]) -> set[tuple[str, ...]]:
        """What the telling cells have of some facets."""
        key = tuple(facets)
        if key not in self._having:
            self._having[key] = {tuple(cell[facet] for facet in key) for cell in self._cells}
        return self._having[key]


def _facets(row: CellSummary) -> dict[Facet, str]:
    return {
        Facet.WORKLOAD: row.workload,
        Facet.BATCH: str(row.batch_size),
        Facet.ARM: row.arm,
        Facet.PHASE: row.phase,
        Facet.TYPE: row.dtype,
    }


def _about(row: Sequence[Cell]) -> dict[Facet, str]:
    about: dict[Facet, str] = {}
    for cell in row:
        about |= cell.about
    return about


def _without_many(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Those that have rows, and of the folded ones the first."""
    kept: list[Table] = []
    for one in tables:
        folded = sum(other.folded for other in kept)
        if one.rows and not (one.folded and folded >= MOST_UNNAMED):
            kept.append(one)
    return tuple(kept)


def _first(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    return tuple(items[:most])


def _few(sentences: Sequence[str]) -> tuple[str, ...]:
    """The first of them, and how many more there are."""
    more = len(sentences) - MOST_SENTENCES
    shown = tuple(sentences[:MOST_SENTENCES])
    return (*shown, f"and {more:,} more, under --details") if more > 0 else shown


def _left_out(section: Section, tables: Sequence[Table], charts: Sequence[Chart]) -> str:
    rows = _count_rows(section.tables) - _count_rows(tables)
    missing = [f"{rows:,} rows"] if rows else []
    gone = len(section.charts) - len(charts)
    missing += [f"{gone:,} charts"] if gone else []
    if not missing:
        return ""
    return f"{' and '.join(missing)} of less telling cells are left out of this page."


def _count_rows(tables: Iterable[Table]) -> int:
    return sum(len(one.rows) for one in tables)


def _explained(section: Section, telling: Telling) -> str:
    if section.id != EVERY_CELL:
        return ""
    return (
        f"Of {len(telling.run.rows):,} cells the {len(telling.cells):,} most telling stand here: "
        f"{MEANING}. The heat map opens each of the others; "
        "dnnbench runs show --details prints all."
    )


def _rest(section: Section, telling: Telling) -> list[Table]:
    """The others by phase and arm, below the telling cells."""
    if section.id != EVERY_CELL or not telling.rest:
        return []
    title = f"The other {counted(len(telling.rest), 'cell')}, by phase and arm"
    return [table(COLUMNS, _rows_of_rest(telling.run, telling.rest), title=title)]


def _rows_of_rest(run: Evidence, rest: Sequence[CellSummary]) -> list[tuple[Cell, ...]]:
    groups: dict[tuple[str, str], list[CellSummary]] = {}
    for row in rest:
        groups.setdefault((row.phase, row.arm), []).append(row)
    order = by_headline(phase for phase, _ in groups)
    keys = sorted(groups, key=lambda key: order.index(key[0]))
    return [_rest_row(run, *key, groups[key]) for key in keys]


def _rest_row(run: Evidence, phase: str, arm: str, rows: Sequence[CellSummary]) -> tuple[Cell, ...]:
    ratios = [row.ratio for row in rows if row.ratio]
    counts = counted_by(rows, VERDICTS)
    numbers = [len(rows), *(counts[word] for word in VERDICTS), counts[""]]
    return (
        phase_cell(phase),
        arm_cell(arm, run.backend_of(arm)),
        *(figure(number, _count) for number in numbers),
        _times(ratios, _mean),
        _times(ratios, min),
        _times(ratios, max),
    )


def _count(number: float | None) -> str:
    return f"{number:,.0f}" if number else "–"


def _times(ratios: Sequence[float], of: Callable[[Sequence[float]], float]) -> Cell:
    return figure(of(ratios), lambda value: f"{factor(value)}x") if ratios else Cell()


def _mean(ratios: Sequence[float]) -> float:
    """Geometric."""
    return exp(fmean(map(log, ratios)))
