"""The terminal's table of two runs held against each other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..store.frames import records
from .columns import VERDICT_STYLES, column_table
from .quantity import interval, milliseconds, ratio
from .words import verdict_word

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table
    from rich.text import Text

HEADINGS = (
    "workload",
    "phase",
    "arm",
    ">base, ms",
    ">new",
    ">ratio",
    ">[95 %]",
    "verdict",
    "why",
)


def changes_table(cells: "pd.DataFrame") -> "Table":
    """A rich table of `dnnbench.track.compare`'s frame, the worst change first."""
    table = column_table(*HEADINGS, leave_out=("why", "[95 %]", "base, ms", "new"))
    for row in records(cells.sort_values("ratio", ascending=False, kind="stable")):
        table.add_row(
            f"{row['workload']}/{row['batch_size']}",
            row["phase"],
            row["arm"],
            milliseconds(row["base_s"]),
            milliseconds(row["new_s"]),
            ratio(row["ratio"]),
            interval(row["ratio_low"], row["ratio_high"]),
            _verdict(row),
            row["reason"] or "",
        )
    return table


def _verdict(row: Mapping[str, Any]) -> "Text":
    from rich.text import Text

    verdict = verdict_word(row["verdict"], row["ratio_low"])
    return (
        Text("REGRESSION", "bold red")
        if row["regression"]
        else Text(verdict, VERDICT_STYLES[verdict])
    )
