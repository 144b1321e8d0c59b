"""What a bench can find wrong with itself: time that does not add up, waits that do not wait,
answers that are cached.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from ..host.clock import now
from ..host.placement import FREE, Placement
from ..protocol.batch import Batch
from ..protocol.program import Program
from .growth import NEAR_ONE, REPEATS, Growth, growth_of, most_of, pair_of_calls, seconds_of
from .step_audit import StepAudit

Call = Callable[[], object]


@dataclass(frozen=True)
class Audit:
    """Ratios that should be near 1 or below it, and one answer that should be yes.

    growth: of time with the calls
    unwaited: time of one call left unwaited over that of one waited for
    answers_differ: another input gave another output
    cpus_used: CPU seconds of the process over wall seconds
    unwaited is a median of pairs taken side by side; `unwaited_most` holds all pairs but the least
    and the most. A fault needs that whole range, so that six pairs of seven are off: foreign work
    spoils some pairs, not all to one side.
    """

    growth: Growth
    unwaited: float
    unwaited_most: tuple[float, float]
    answers_differ: bool
    cpus_used: float
    steps: StepAudit | None = None
    """Of a program whose steps are timed."""

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; empty if nothing is."""
        faults = self.growth.faults
        if self.unwaited_most[0] > NEAR_ONE[1]:
            faults.append(
                f"a call took {self.unwaited:.2f} times as long when nobody waited for it"
            )
        if not self.answers_differ:
            faults.append("another input gave the same output: an answer is cached")
        return faults + (self.steps.faults if self.steps else [])

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"faults": self.faults}


def audit(
    program: Program, batch: Batch, call: Call, calls: int, placement: Placement = FREE
) -> Audit:
    """Check one program on its warm `call` (its inference), with `calls` as n.

    placement: of the threads that the call keeps busy

    Draws no random number, changes nothing.
    """
    wall_s, used_s = now(), process_time()
    growth = growth_of([pair_of_calls(program, call, calls, placement) for _ in range(REPEATS)])
    cpus_used = (process_time() - used_s) / (now() - wall_s)
    unwaited = [_unwaited_s(program, call) / seconds_of(program, call, 1) for _ in range(REPEATS)]
    return Audit(
        growth=growth,
        unwaited=round(median(unwaited), 3),
        unwaited_most=most_of(unwaited),
        answers_differ=_answers_differ(program, batch),
        cpus_used=round(cpus_used, 2),
    )


def late_fault(programs: int) -> str:
    """That so many programs were compiled after the warm-up, whose seconds are in some visits."""
    return f"compiled {programs} program(s) after warming up: some visits hold a compilation"


def _unwaited_s(program: Program, call: Call) -> float:
    begin = now()
    result = call()
    elapsed = now() - begin
    program.wait(result)
    return elapsed


def _answers_differ(program: Program, batch: Batch) -> bool:
    """Whether inference tells the batch from its first example repeated.

    A batch of equal examples cannot be told.
    """
    same = batch.rows(np.zeros(batch.size, int))
    if all(np.array_equal(same.inputs[name], array) for name, array in batch.inputs.items()):
        return True
    first, second = (program.get(program.infer(program.put(fed))) for fed in (batch, same))
    return any(not np.array_equal(first[name], second[name]) for name in first)
