"""Cells that several sections have: an arm, a verdict, what became of a check, a figure with its
interval.
"""

from collections.abc import Callable

from ..agreement.status import Status
from ..stats.estimates import Estimate
from .quantity import MISSING, interval
from .section import Cell, Tone
from .words import NOT_JUDGED

VERDICT_TONES = {
    "FASTER": Tone.GOOD,
    "SLOWER": Tone.BAD,
    "SAME": Tone.STRONG,
    "UNDECIDED": Tone.QUIET,
    NOT_JUDGED: Tone.QUIET,
}


def arm_cell(arm: str, backend: str) -> Cell:
    """An arm in the colour of its backend."""
    return Cell(arm, backend=backend)


def verdict_cell(word: str, reason: str | None) -> Cell:
    """word: from `words.verdict_word`; empty where there is no verdict."""
    tone = VERDICT_TONES.get(word, Tone.PLAIN)
    return Cell(word, tone=tone, verdict=word, remark=(reason or "") if word else "")


def check_cell(status: Status | None) -> Cell:
    """What became of a check, in its word where it is not that all agrees; None where there was
    none.
    """
    if status is None:
        return Cell("not checked", tone=Tone.QUIET)
    if status is Status.AGREES:
        return Cell("✓", tone=Tone.GOOD)
    return Cell(status, tone=Tone.QUIET if status.passes else Tone.BAD)


def estimate_cell(estimate: Estimate | None, show: Callable[[float], str]) -> Cell:
    """A value with its interval where it has one."""
    if estimate is None:
        return Cell(MISSING)
    return Cell(show(estimate.value), interval(estimate.low, estimate.high, show))
