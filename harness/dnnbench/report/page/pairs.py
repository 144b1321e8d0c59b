"""Every pair of arms, held against each other when the page is made: any arm can be the base."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...execution.measured import Measured
from ...execution.twins import twin_doubt, twins_of
from ...spec.phases import PURPOSES
from ...store.run_rows import CellRow
from ..judged import Judged, comparable_pairs, judged
from ..words import verdict_word

MOST_PAIRS = 2000
"""Of a run with more, only those of training steps and inferences are taken; of one that has more
of those alone, none: its base is the run's.
"""
EXACT = ".7g"


@dataclass(frozen=True)
class Pair:
    """A cell's time over another's; `over` and `under` are the places of both among the cells."""

    over: int
    under: int
    ratio: float
    low: float | None
    high: float | None
    verdict: str
    """What the first is against the second, as the verdict column shows it."""
    reasons: tuple[str, str]
    """Why there is no clear verdict: of the first against the second, and the other way round."""


def pairs_of(run: Measured, places: dict[str, int]) -> list[Pair]:
    """Every pair once: the other way round it is the inverse of the same estimate.

    places: of the cells that the page shows, by cell_id
    """
    doubt = twin_doubt(twins_of(run))
    return [
        _pair(run, one, other, places, doubt)
        for one, other in _chosen(run)
        if one.cell_id in places and other.cell_id in places
    ]


def _chosen(run: Measured) -> Sequence[tuple[CellRow, CellRow]]:
    pairs = list(comparable_pairs(run))
    if len(pairs) <= MOST_PAIRS:
        return pairs
    chosen = [(one, other) for one, other in pairs if one.phase in PURPOSES]
    return chosen if len(chosen) <= MOST_PAIRS else []


def _pair(run: Measured, one: CellRow, other: CellRow, places: dict[str, int], doubt: str) -> Pair:
    way = judged(run, one, other, doubt)
    estimate, finding = way.ratio.estimate, way.finding
    low, high = (None, None) if _silent(way) else (estimate.low, estimate.high)
    back = judged(run, other, one, doubt).finding.reason if finding.reason else ""
    return Pair(
        over=places[one.cell_id],
        under=places[other.cell_id],
        ratio=_short(estimate.value),
        low=None if low is None else _short(low),
        high=None if high is None else _short(high),
        verdict=verdict_word(finding.verdict, low),
        reasons=(finding.reason, back),
    )


def _silent(way: Judged) -> bool:
    """Whether there is no interval to show."""
    return way.finding.overruled or way.ratio.estimate.generations < 2


def _short(value: float) -> float:
    return float(format(value, EXACT))
