"""Tables in the terminal: how columns look, and what a verdict and a check look like in them."""

from typing import TYPE_CHECKING

from ..numerics.status import Status
from .words import NOT_JUDGED

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

VERDICT_STYLES = {
    "FASTER": "bold green", "SLOWER": "bold red", "SAME": "bold", "UNDECIDED": "dim", NOT_JUDGED: "dim", "": "dim",
}  # fmt: skip


def column_table(*headings: str) -> "Table":
    """A borderless table; a heading that begins with '>' stands over numbers."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="dim")
    for heading in headings:
        number = heading.startswith(">")
        table.add_column(heading.lstrip(">"), justify="right" if number else "left", no_wrap=heading != "why")
    return table


def mark(status: Status | None) -> "Text":
    """What became of a check, in its word where it is not that all agrees; None where there was none."""
    from rich.text import Text

    if status is None:
        return Text("not checked", style="dim")
    if status is Status.AGREES:
        return Text("✓", style="green")
    return Text(status, style="dim" if status.passes else "bold red")
