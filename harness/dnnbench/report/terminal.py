"""A section in the terminal: its heading, its sentences, its tables as wide as they fit, its
doubts.
"""

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Column as RichColumn
from rich.text import Text

from ..wording import one_line
from .columns import FittedTable, column
from .section import Cell, Column, Section, Table, Tone

STYLES = {
    Tone.PLAIN: "",
    Tone.QUIET: "dim",
    Tone.STRONG: "bold",
    Tone.GOOD: "bold green",
    Tone.BAD: "bold red",
}
INTERVAL = "[95 %]"
"""Heading of what stands beside a figure."""
SIGN, LONGEST_BAR = "#", 20
"""What a bar is made of, in any encoding, and how many there are in the longest."""


def drawn(sections: Iterable[Section]) -> list[RenderableType]:
    """Sections one below the other, as rich draws them; folded tables and charts are left to the
    page.
    """
    parts: list[RenderableType] = []
    for section in sections:
        parts += [Text("")] if parts else []
        parts += section_parts(section)
    return parts


def section_parts(section: Section) -> list[RenderableType]:
    """One section."""
    parts: list[RenderableType] = [_heading(section.title, section.brief)]
    if section.alarm:
        parts[:0] = [Text(one_line(section.alarm), style="bold yellow"), Text("")]
    parts += [Text(f"  {one_line(sentence)}") for sentence in section.sentences]
    shown = [table for table in section.tables if not table.folded]
    for table in shown:
        if table.title or len(shown) > 1:
            parts.append(Text(""))
        parts += [Text(one_line(table.title), "bold")] if table.title else []
        parts.append(terminal_table(table))
    if section.conclusions:
        parts.append(Text(""))
    parts += [Text(one_line(conclusion)) for conclusion in section.conclusions]
    return parts + [Text(f"  {one_line(doubt)}", style="dim") for doubt in section.doubts]


def _heading(title: str, brief: str) -> Text:
    spaced = f"   {one_line(brief)}" if brief else ""
    return Text.assemble((one_line(title), "bold"), (spaced, "dim"))


def terminal_table(table: Table) -> RenderableType:
    """Side by side what stands side by side, where the width allows; else one panel below the
    other.
    """
    panels = list(dict.fromkeys(column.panel for column in table.columns if column.panel))
    whole = _fitted(table, table.columns)
    return Panels(whole, [_panel(table, panel) for panel in panels]) if panels else whole


class Panels:
    """A table, or its panels below each other where it is too wide."""

    def __init__(self, whole: FittedTable, panels: Sequence[FittedTable]) -> None:
        self._whole, self._panels = whole, panels

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._whole.least_width(console, options) <= options.max_width:
            yield self._whole
        else:
            yield from self._panels


def _panel(table: Table, panel: str) -> FittedTable:
    """The columns of one panel, after those that are in none."""
    return _fitted(table, [column for column in table.columns if column.panel in ("", panel)])


def _fitted(table: Table, columns: Sequence[Column]) -> FittedTable:
    """Where any cell of a column has an interval, the intervals have a column of their own."""
    places = [table.columns.index(column) for column in columns]
    split = [_has_intervals(table, place) for place in places]
    headings = []
    for one, has_intervals in zip(columns, split, strict=True):
        headings.append(_column(one))
        headings += [column(INTERVAL, "right", 0)] if has_intervals else []
    fitted = FittedTable(*headings, leave_out=_leave_out(columns, split))
    for group in table.groups:
        if fitted.row_count:
            fitted.add_row()
        above: tuple[Cell, ...] = ()
        for row in group:
            shown = [_once(table.columns[place], row, above, place) for place in places]
            fitted.add_row(*_texts(shown, split))
            above = row
    return fitted


def _has_intervals(table: Table, place: int) -> bool:
    return any(row[place].interval for row in table.rows)


def _column(one: Column) -> RichColumn:
    return column(one.heading, "right" if one.number else "left", one.least if one.prose else 0)


def _once(column: Column, row: Sequence[Cell], above: Sequence[Cell], place: int) -> Cell:
    """The cell, or nothing where the row above has it and all before it, too."""
    repeats = bool(above) and all(row[i].text == above[i].text for i in range(place + 1))
    return Cell() if column.once and repeats else row[place]


def cell_text(cell: Cell) -> Text:
    """A cell as the terminal shows it, without its interval; a bar that stands alone as signs."""
    if cell.bar is not None and not cell.text:
        return Text(SIGN * max(round(cell.bar / 100 * LONGEST_BAR), 1))
    return Text(cell.text, style=STYLES[cell.tone])


def _texts(cells: Sequence[Cell], split: Sequence[bool]) -> list[Text]:
    texts = []
    for cell, has_intervals in zip(cells, split, strict=True):
        texts.append(cell_text(cell))
        texts += [Text(cell.interval, style="dim")] if has_intervals else []
    return texts


def _leave_out(columns: Sequence[Column], split: Sequence[bool]) -> list[str]:
    """Headings, those that can be spared first."""
    spares = {column.heading: column.spare for column in columns if column.spare}
    if any(split):
        spares[INTERVAL] = min(
            column.spare_interval
            for column, has_intervals in zip(columns, split, strict=True)
            if has_intervals
        )
    return sorted(spares, key=spares.__getitem__)
