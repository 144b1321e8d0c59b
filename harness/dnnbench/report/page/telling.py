"""Which cells of a large run a page shows whole: those that tell most, and what they rest on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest

from ...protocol.keys import CaseKey
from ...spec.phases import PURPOSES
from ..evidence import Evidence
from ..summary_rows import CellSummary
from ..words import NOT_JUDGED, word_of

MOST_TOLD = 200
"""Cells whose visits are in the page."""
MOST_LISTED = 400
"""Cells of a run whose rows are all in the page; of more, those of the most telling alone."""
MOST_IN_DATA = 6000
"""Cells that can be opened; of more, training steps and inferences, and the most telling."""
MEANING = (
    "what disagrees with the reference, what failed, what could not be judged, what is undecided, "
    "and the largest differences, in turn, training steps and inferences first"
)
"""What telling is, in words."""


@dataclass(frozen=True)
class Telling:
    """The cells of one run that tell most."""

    run: Evidence

    @property
    def is_cut(self) -> bool:
        """Whether the page leaves rows of the run out."""
        return len(self.run.rows) > MOST_LISTED

    @cached_property
    def cells(self) -> list[CellSummary]:
        """The most telling first: one of each kind in turn, until there are enough."""
        in_turn = chain.from_iterable(zip_longest(*_kinds(self.run)))
        by_id = {row.cell_id: row for row in in_turn if row is not None}
        return list(by_id.values())[:MOST_TOLD]

    @cached_property
    def cases(self) -> list[CaseKey]:
        """Of those cells, in their order."""
        return list(dict.fromkeys(row.case for row in self.cells))

    @cached_property
    def opened(self) -> list[CellSummary]:
        """Cells that can be opened, in the order of the plan."""
        if len(self.run.rows) <= MOST_IN_DATA:
            return self.run.rows
        ids = {row.cell_id for row in self.cells}
        return [row for row in self.run.rows if row.phase in PURPOSES or row.cell_id in ids]

    @cached_property
    def rest(self) -> list[CellSummary]:
        """All others, in the order of the plan."""
        ids = {row.cell_id for row in self.cells}
        return [row for row in self.run.rows if row.cell_id not in ids]


def _kinds(run: Evidence) -> list[list[CellSummary]]:
    """The kinds of `MEANING`, in each the most telling first; a cell may be of several.

    The last is all cells, those with most to tell before those with nothing.
    """
    rows = sorted(run.rows, key=_weight)
    return [
        [row for row in rows if _disagrees(run, row)],
        [row for row in rows if row.status == "failed"],
        [row for row in rows if row.cell_id in run.time_doubts or word_of(row) == NOT_JUDGED],
        [row for row in rows if word_of(row) == "UNDECIDED"],
        rows,
    ]


def _weight(row: CellSummary) -> tuple[bool, float]:
    """A key that sorts what people choose by first, then the largest difference from the base."""
    return row.phase not in PURPOSES, -abs(math.log(row.ratio)) if row.ratio else 0.0


def _disagrees(run: Evidence, row: CellSummary) -> bool:
    status = run.agrees(row.arm, row.workload)
    return status is not None and not status.passes


def counted_by(rows: Sequence[CellSummary], words: Sequence[str]) -> dict[str, int]:
    """How many of the cells have which word of `word_of`; whatever else they have under ''."""
    counts = dict.fromkeys((*words, ""), 0)
    for row in rows:
        word = word_of(row)
        counts[word if word in counts else ""] += 1
    return counts
