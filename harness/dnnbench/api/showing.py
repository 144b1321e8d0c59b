"""Tables and lines of the terminal, as a notebook and as Markdown show them."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from ..report.markdown import escaped
from ..wording import one_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Column, Table
    from rich.text import Text

    Part = Table | Text
    Row = Sequence[RenderableType]

RIGHT = "right"


class Shown:
    """What a notebook, `print` and `to_markdown` show of a result.

    `parts` gives its tables and lines.
    """

    def parts(self) -> "Sequence[Part]":
        """Tables and lines, as the terminal shows them."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        return html_of(self.parts())

    def to_markdown(self) -> str:
        """The same as Markdown."""
        return markdown_of(self.parts())


def html_of(parts: "Iterable[Part]") -> str:
    """Each table as one of HTML, each line as a paragraph; nothing in it is taken for markup."""
    return "\n".join(map(_html, parts))


def markdown_of(parts: "Iterable[Part]") -> str:
    """Each table as one of Markdown, each line as a paragraph."""
    return "\n\n".join(map(_markdown, parts))


def line(text: str) -> "Text":
    """A line that stands beside tables."""
    from rich.text import Text

    return Text(text)


def _html(part: "Part") -> str:
    from rich.table import Table

    if not isinstance(part, Table):
        return f"<p>{escape(one_line(part.plain.strip()))}</p>"
    head = "".join(f"<th{_style(column)}>{_cell(column.header)}</th>" for column in part.columns)
    rows = [
        "".join(_data(*pair) for pair in zip(part.columns, row, strict=True)) for row in _rows(part)
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _data(column: "Column", cell: "RenderableType") -> str:
    return f"<td{_style(column)}>{_cell(cell)}</td>"


def _style(column: "Column") -> str:
    return f' style="text-align: {RIGHT if column.justify == RIGHT else "left"}"'


def _cell(cell: "RenderableType") -> str:
    return escape(_plain(cell))


def _markdown(part: "Part") -> str:
    from rich.table import Table

    if not isinstance(part, Table):
        return escaped(part.plain.strip())
    rules = ["---:" if column.justify == RIGHT else "---" for column in part.columns]
    rows: list[Row] = [[column.header for column in part.columns], rules, *_rows(part)]
    return "\n".join(map(_markdown_row, rows))


def _markdown_row(cells: "Row") -> str:
    return f"| {' | '.join(escaped(_plain(cell)) for cell in cells)} |"


def _rows(table: "Table") -> "list[Row]":
    return list(zip(*(column.cells for column in table.columns), strict=True))


def _plain(cell: "RenderableType") -> str:
    from rich.text import Text

    return cell.plain if isinstance(cell, Text) else str(cell)
