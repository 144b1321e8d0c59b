"""Tables in the terminal: how columns look, and what a verdict and a check look like in them."""

from typing import TYPE_CHECKING

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


def mark(agrees: bool | None) -> "Text":
    """Whether something agrees; None where it was not checked."""
    from rich.text import Text

    if agrees is None:
        return Text("not checked", style="dim")
    return Text("✓", style="green") if agrees else Text("✗", style="bold red")
