"""What a worker's process counts of a call, whatever framework computes it."""

import resource
from collections.abc import Callable, Mapping

from ..host.instructions import InstructionCounter, NotCounted
from ..protocol.figures import Figure, FigureKind

CALLS = 3
"""Counted one by one; the least disturbed, the smallest count, is the figure."""
INSTRUCTIONS, PAGE_FAULTS = "instructions", "page_faults"


def counted(call: Callable[[], None]) -> tuple[tuple[Figure, ...], Mapping[str, str]]:
    """(figures of a call, why others are missing).  `call` returns when the device is done."""
    call()
    figures = [_figure(PAGE_FAULTS, min(_page_faults(call) for _ in range(CALLS)), "faults")]
    try:
        with InstructionCounter() as counter:
            least = min(counter.count(call) for _ in range(CALLS))
    except NotCounted as error:
        return tuple(figures), {INSTRUCTIONS: str(error)}
    return (*figures, _figure(INSTRUCTIONS, least, "instructions")), {}


def _page_faults(call: Callable[[], None]) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    call()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _figure(name: str, value: int, unit: str) -> Figure:
    return Figure(name, float(value), unit, FigureKind.COUNTED)
