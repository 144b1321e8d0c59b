"""Two runs held against each other: how many cells changed, the worst changes, every cell."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...store.frames import records
from ...wording import counted
from ..cells import arm_cell, verdict_cell
from ..quantity import factor, interval, milliseconds, ratio
from ..section import Cell, Column, Section, Tone, table
from ..words import NOT_JUDGED, verdict_word
from .short import CELL, MOST_ROWS, in_short

if TYPE_CHECKING:
    import pandas as pd

OUTCOMES = {
    "SLOWER": "slower",
    "FASTER": "faster",
    "SAME": "the same",
    "UNDECIDED": "undecided",
    NOT_JUDGED: "not judged",
}
ARM = Column("arm")
PLACE = (Column("cell"), ARM)
TIMES = (Column("base, ms", number=True, spare=2), Column("new, ms", number=True, spare=3))
JUDGED = (Column("new / base", number=True, spare_interval=1), Column("verdict"))
WHY = Column("why", prose=True, spare=1)
Row = Mapping[str, Any]
"""A row of `dnnbench.track.compare`'s frame."""


def comparison_sections(cells: "pd.DataFrame", doubts: Sequence[str]) -> list[Section]:
    """cells: `dnnbench.track.compare`'s frame.  doubts: what the table leaves open."""
    rows = records(cells.sort_values("ratio", ascending=False, kind="stable"))
    shown, more = in_short(rows, MOST_ROWS, "cell")
    outcome = Section(
        id="comparison",
        title=_outcome(rows),
        tables=(table((CELL, ARM, *JUDGED), [_row(row) for row in shown]),) if rows else (),
        conclusions=more,
        doubts=tuple(doubts),
    )
    return [outcome, _details(rows)] if rows else [outcome]


def _details(rows: Sequence[Row]) -> Section:
    return Section(
        id="comparison-cells",
        title="Every cell that both runs have",
        tables=(table((*PLACE, *TIMES, *JUDGED, WHY), [_whole_row(row) for row in rows]),),
    )


def _outcome(rows: Sequence[Row]) -> str:
    """How many cells became slower, faster, stayed the same, and the worst change that is
    certain.
    """
    if not rows:
        return "no cell is in both runs"
    counts = Counter(verdict_word(row["verdict"], row["ratio_low"]) for row in rows)
    parts = [f"{counts[word]} {name}" for word, name in OUTCOMES.items() if counts[word]]
    sentence = f"{counted(len(rows), 'cell')}: {', '.join(parts) or NOT_JUDGED}"
    slower = [row for row in rows if row["verdict"] == "SLOWER"]
    if not slower:
        return sentence
    worst = slower[0]
    bounds = interval(worst["ratio_low"], worst["ratio_high"], factor)
    return (
        f"{sentence}; the worst: {worst['arm']} {worst['phase']} of {worst['workload']}, "
        f"{factor(worst['ratio'])}x {bounds} as long"
    )


def _row(row: Row) -> tuple[Cell, ...]:
    return (*_place(row), *_judged(row))


def _whole_row(row: Row) -> tuple[Cell, ...]:
    times = (Cell(milliseconds(row["base_s"])), Cell(milliseconds(row["new_s"])))
    return (*_place(row), *times, *_judged(row), Cell(row["reason"] or "", tone=Tone.QUIET))


def _place(row: Row) -> tuple[Cell, ...]:
    cell = f"{row['workload']}/{row['batch_size']} {row['phase']}"
    return Cell(cell), arm_cell(row["arm"], row["arm"].partition(":")[0])


def _judged(row: Row) -> tuple[Cell, Cell]:
    bounds = interval(row["ratio_low"], row["ratio_high"])
    word = verdict_word(row["verdict"], row["ratio_low"])
    regression = Cell("REGRESSION", tone=Tone.BAD, verdict=word)
    verdict = regression if row["regression"] else verdict_cell(word, row["reason"])
    return Cell(ratio(row["ratio"]), bounds), verdict
