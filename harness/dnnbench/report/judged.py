"""A cell held against another of its case and phase: the ratio of their times, and what it says."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from ..execution.measured import Measured
from ..stats.estimates import Ratio, ratio
from ..stats.verdict import Finding, Verdict, judge
from ..store.run_rows import CellRow


@dataclass(frozen=True)
class Judged:
    """A ratio, paired in rounds, and the finding on it."""

    ratio: Ratio
    finding: Finding


def judged(run: Measured, cell: CellRow, base: CellRow, doubt: str) -> Judged:
    """The cell against a base, unless something overrules their interval.

    doubt: why no verdict of the run holds; empty if they may
    """
    pairs = run.pairs(cell, base)
    measured = ratio(pairs)
    objection = run.time_doubt(cell) or run.time_doubt(base) or doubt
    if objection:
        return Judged(measured, Finding(Verdict.UNDECIDED, objection, overruled=True))
    return Judged(measured, judge(pairs, measured, run.theta))


def comparable_pairs(run: Measured) -> Iterator[tuple[CellRow, CellRow]]:
    """Each two cells that can be held against each other, once."""
    groups: dict[tuple[object, ...], list[CellRow]] = {}
    for cell in run.cells:
        if cell.cell_id in run.visits and cell.status != "failed" and not cell.unequal:
            key = cell.case, cell.phase, cell.rank_group
            groups.setdefault(key, []).append(cell)
    for cells in groups.values():
        yield from combinations(cells, 2)
