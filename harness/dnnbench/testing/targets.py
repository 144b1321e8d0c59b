"""What dnnbench_measure is asked to measure, at a bench."""

from collections.abc import Callable
from typing import Any

from ..errors import UsageError
from ..execution.spelling import word
from ..protocol.batch import Batch
from ..spec.phases import PIECES, Phase
from ..worker.bench import Bench
from .in_process import bench_of_call, bench_of_program
from .marked import MarkedProgram


def bench_of(
    target: Any,
    batch: Batch | None,
    phase: str,
    wait: Callable[[Any], Any] | None,
    marked: MarkedProgram | None,
) -> tuple[Bench, Phase]:
    """The bench, and the phase to visit there.  UsageError for what cannot be measured so."""
    chosen = _phase(phase)
    if marked is not None:
        marked.require(chosen)
        return bench_of_program(marked.program, marked.batch, chosen), chosen
    if hasattr(target, "infer"):
        if batch is None:
            raise UsageError("a Program is measured on a batch; give it as the second argument")
        if not hasattr(target, chosen):
            raise UsageError(f"{type(target).__name__} has no {chosen}: it is no TrainingProgram")
        return bench_of_program(target, batch, chosen), chosen
    if not callable(target):
        raise UsageError(
            f"got {target!r}, expected a function without arguments, or a Program and its batch"
        )
    if chosen is not Phase.INFER or batch is not None:
        raise UsageError("phase and batch are a Program's; a function has neither")
    return bench_of_call(target, wait), Phase.INFER


def _phase(text: str) -> Phase:
    whole = tuple(phase for phase in Phase if phase not in PIECES)
    try:
        return Phase(word(text, whole))
    except ValueError as error:
        raise UsageError(f"phase: {error}") from None
