"""A run held against its baseline: what changed, what the times hint at, every figure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ...wording import counted
from ..quantity import digits
from ..section import Cell, Column, Section, Table, Tone, table
from .short import CELL, MOST_ROWS, in_short

COLUMNS = (
    CELL,
    Column("figure"),
    Column("before", number=True),
    Column("now", number=True),
    Column("outcome"),
    Column("why", prose=True, spare=1),
)
BAD = ("DIFFERS", "GREW", "CHANGED", "MISSING")
QUIET = ("SAME", "INCONCLUSIVE")
Row = Mapping[str, Any]
"""A row of `dnnbench.track.baseline_check`, as plain data."""


def baseline_sections(rows: Sequence[Row], place: str) -> list[Section]:
    """place: the file of the baseline."""
    worth_showing = [row for row in rows if row["outcome"] not in QUIET]
    shown, more = in_short(worth_showing, MOST_ROWS, "figure")
    outcome = Section(
        id="baseline",
        title=_outcome(rows, place),
        tables=(_table(shown),) if shown else (),
        conclusions=(*more, *_of_times(rows)),
    )
    details = Section(id="baseline-figures", title="Every figure", tables=(_table(rows),))
    return [outcome, details] if rows else [outcome]


def _outcome(rows: Sequence[Row], place: str) -> str:
    counts = Counter(row["outcome"] for row in rows)
    figures = [row for row in rows if row["figure"] != "time"]
    if not any(counts[word] for word in BAD):
        more = f"; {counts['SHRANK']} shrank, {counts['NEW']} new" * bool(
            counts["SHRANK"] or counts["NEW"]
        )
        same = sum(row["outcome"] == "SAME" for row in figures)
        return f"PASS: {same} of {counted(len(figures), 'figure')} as in {place}{more}"
    words = [f"{counts[word]} {word}" for word in BAD if counts[word]]
    return f"CHANGED: {', '.join(words)} of {counted(len(figures), 'figure')}, against {place}"


def _of_times(rows: Sequence[Row]) -> list[str]:
    """What stands of times, which decide nothing."""
    times = [row for row in rows if row["figure"] == "time"]
    few = [row for row in times if row["outcome"] == "INCONCLUSIVE"]
    hints = [row for row in times if row["outcome"] == "HINT"]
    sentences = []
    if few:
        sentences.append(f"times: INCONCLUSIVE: {few[0]['reason']}")
    if hints:
        sentences.append(
            f"times: {counted(len(hints), 'cell')} outside the spread of earlier runs, a hint and "
            "no verdict: to gate time, name a revision (dnnbench gate --git BASE..HEAD)"
        )
    return sentences


def _table(rows: Sequence[Row]) -> Table:
    return table(COLUMNS, [_row(row) for row in rows])


def _row(row: Row) -> list[Cell]:
    outcome = row["outcome"]
    tone = Tone.BAD if outcome in BAD else Tone.QUIET if outcome in QUIET else Tone.PLAIN
    return [
        Cell(row["cell"]),
        Cell(row["figure"]),
        Cell(_value(row["before"])),
        Cell(_value(row["after"])),
        Cell(outcome, tone=tone),
        Cell(row["reason"]),
    ]


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return digits(value, 4) if isinstance(value, float) else str(value)
