"""Cells that several sections have: an arm, a verdict, what became of a check, a figure with its
interval.
"""

from collections.abc import Callable

from ..agreement.status import Status
from ..protocol.keys import CaseKey
from ..stats.estimates import Estimate
from .quantity import MISSING, interval, present, scaled
from .section import Cell, Facet, Tone
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
    return Cell(arm, backend=backend, about={Facet.ARM: arm})


def case_cell(workload: str, batch_size: int) -> Cell:
    """A case, by workload and batch size."""
    case = CaseKey(workload, batch_size)
    return Cell(str(case), about=about_case(case))


def about_case(case: CaseKey) -> dict[Facet, str]:
    """What a row of a case is about."""
    return {Facet.WORKLOAD: case.workload, Facet.BATCH: str(case.batch_size)}


def phase_cell(phase: str, name: str = "") -> Cell:
    """A phase, under another name where there is one."""
    return Cell(name or phase, about={Facet.PHASE: phase})


def figure(value: float | None, show: Callable[[float | None], str]) -> Cell:
    """A figure as it is shown, and to be sorted by."""
    return Cell(show(value), value=value if present(value) else None)


def scaled_figure(value: float | None, unit: str) -> Cell:
    """The same in powers of 1000 of a unit."""
    return figure(value, lambda number: scaled(number, unit))


def verdict_cell(word: str, reason: str | None) -> Cell:
    """word: from `words.verdict_word`; empty where there is no verdict."""
    tone = VERDICT_TONES.get(word, Tone.PLAIN)
    return Cell(word, tone=tone, verdict=word, remark=(reason or "") if word else "")


def check_cell(status: Status | None) -> Cell:
    """What became of a check, in its word; None where there was none."""
    if status is None:
        return Cell("not checked", tone=Tone.QUIET)
    if status is Status.AGREES:
        return Cell(status, tone=Tone.GOOD)
    return Cell(status, tone=Tone.QUIET if status.passes else Tone.BAD)


def estimate_cell(estimate: Estimate | None, show: Callable[[float], str]) -> Cell:
    """A value with its interval where it has one."""
    if estimate is None:
        return Cell(MISSING)
    bounds = interval(estimate.low, estimate.high, show)
    return Cell(show(estimate.value), bounds, value=estimate.value)
