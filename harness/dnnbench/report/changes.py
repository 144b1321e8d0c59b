"""Two runs held against each other: the outcome in a sentence, and the terminal's table."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..store.frames import records
from .columns import VERDICT_STYLES, column_table
from .quantity import factor, interval, milliseconds, ratio
from .words import NOT_JUDGED, verdict_word

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


OUTCOMES = {
    "SLOWER": "slower",
    "FASTER": "faster",
    "SAME": "the same",
    "UNDECIDED": "undecided",
    NOT_JUDGED: "not judged",
}


def changes_sentence(cells: "pd.DataFrame") -> str:
    """How many cells became slower, faster, stayed the same, and the worst change that is certain.

    cells: `dnnbench.track.compare`'s frame, one row at least.
    """
    rows = records(cells)
    counts = Counter(verdict_word(row["verdict"], row["ratio_low"]) for row in rows)
    counted = [f"{counts[word]} {name}" for word, name in OUTCOMES.items() if counts[word]]
    sentence = f"{len(rows)} cells: {', '.join(counted) or NOT_JUDGED}"
    slower = [row for row in rows if row["verdict"] == "SLOWER"]
    if not slower:
        return sentence
    worst = max(slower, key=lambda row: row["ratio"])
    bounds = interval(worst["ratio_low"], worst["ratio_high"], factor)
    return (
        f"{sentence}; the worst: {worst['arm']} {worst['phase']} of {worst['workload']}, "
        f"{factor(worst['ratio'])}x {bounds} as long"
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
