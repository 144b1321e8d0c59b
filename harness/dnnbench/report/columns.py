"""Tables in the terminal: how columns look, and which of them a narrow terminal leaves out."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult
from rich.measure import Measurement
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

from ..wording import one_line
from .words import NOT_JUDGED

VERDICT_STYLES = {
    "FASTER": "bold green",
    "SLOWER": "bold red",
    "SAME": "bold",
    "UNDECIDED": "dim",
    NOT_JUDGED: "dim",
    "": "dim",
}
PROSE = (
    "why",
    "ended",
    "mathematics",
    "meaning",
    "description",
    "status",
    "modes",
    "parameters",
    "presets",
)
"""Headings of columns whose text may be broken into lines."""
LEAST_PROSE = 20
"""Columns of a terminal that prose is given at least."""


class FittedTable(Table):
    """A borderless table that leaves out as many columns as it must before it cuts one.

    What is still too wide is longer than the line of the terminal, and whole. Cells hold texts from
    files, stores and plugins: what a terminal would obey is shown as its escape.
    """

    def __init__(self, *columns: Column, leave_out: Sequence[str] = ()) -> None:
        """leave_out: headings, those that can be spared first."""
        super().__init__(
            *columns, box=None, pad_edge=False, collapse_padding=True, header_style="dim"
        )
        self.leave_out = leave_out

    def add_row(
        self,
        *cells: RenderableType | None,
        style: StyleType | None = None,
        end_section: bool = False,
    ) -> None:
        """A row of texts; TypeError for a cell that is none."""
        super().add_row(*map(_shown, cells), style=style, end_section=end_section)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        fitted: FittedTable = self
        needed = self.least_width(console, options)
        left_out: list[str] = []
        for heading in self.leave_out:
            if needed <= options.max_width:
                break
            if any(column.header == heading for column in fitted.columns):
                left_out.append(heading)
                fitted = self._without(left_out)
                needed = fitted.least_width(console, options)
        width = max(options.max_width, needed)
        yield from Table.__rich_console__(fitted, console, options.update(max_width=width))
        if left_out:
            yield Text(
                f"for {options.max_width} columns left out: {', '.join(left_out)}", style="dim"
            )

    def least_width(self, console: Console, options: ConsoleOptions) -> int:
        """What the table needs to show every cell whole, prose in lines of `LEAST_PROSE`."""
        natural = Measurement.get(console, options.update(max_width=100_000), self).maximum
        broken = [column for column in self.columns if not column.no_wrap]
        return natural - sum(_spared(column) for column in broken)

    def _without(self, headings: Collection[str]) -> "FittedTable":
        kept = [column for column in self.columns if str(column.header) not in headings]
        fitted = FittedTable(*(replace(column, _cells=[]) for column in kept))
        for row in zip(*(column.cells for column in kept), strict=True):
            Table.add_row(fitted, *row)
        return fitted


def _spared(prose: Column) -> int:
    """How much narrower than its longest text a column of prose may be."""
    longest = max(map(_width, [prose.header, *prose.cells]))
    return max(longest - (prose.min_width or LEAST_PROSE), 0)


def column_table(*headings: str, leave_out: Sequence[str] = ()) -> FittedTable:
    """A table by its headings; one that begins with '>' stands over numbers.

    leave_out: headings, those that can be spared first.
    """
    columns = [
        column(
            heading.removeprefix(">"),
            "right" if heading.startswith(">") else "left",
            LEAST_PROSE if heading in PROSE else 0,
        )
        for heading in headings
    ]
    return FittedTable(*columns, leave_out=leave_out)


def column(heading: str, justify: JustifyMethod, prose: int) -> Column:
    """prose: letters of a line that its text may be broken into; 0: never."""
    return Column(
        header=one_line(heading),
        justify=justify,
        no_wrap=not prose,
        overflow="fold",
        min_width=prose or None,
    )


def _shown(cell: RenderableType | None) -> str | Text:
    if isinstance(cell, str):
        return one_line(cell)
    if not isinstance(cell, Text):
        raise TypeError(f"a cell of a table is a text, and got {type(cell).__name__}")
    shown = cell.copy()
    shown.plain = one_line(cell.plain)
    return shown


def _width(cell: RenderableType) -> int:
    return cell_len(str(cell))
