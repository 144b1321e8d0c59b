"""What a program that trains shows of its waiting, and of answers that it keeps."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from time import sleep
from typing import Any

import numpy as np

from ..agreement.keys import outputs_of
from ..host.clock import now
from ..protocol.program import Trainable
from ..spec.phases import PHASES, Phase

REPEATS = 5
LATE_MOST = 0.3
"""Share of a step that reading the weights after it may take, beyond what a reading takes that
waits for nothing.
"""
PAUSE_STEPS = 2
"""After so many times its seconds, a step has ended, whether `wait` waits for it or not."""

Control = Callable[[Trainable, Callable[[], Any], float], float]


@dataclass(frozen=True)
class StepAudit:
    """late: seconds of reading the weights after a step was waited for, less those of a reading
    that waits for nothing, over the step's. A median; `late_most` holds all but the least and the
    most, and a fault needs that range.
    kept: phases that answered the same of one placed batch before and after a step
    """

    late: float
    late_most: tuple[float, float]
    kept: tuple[str, ...]

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; empty if nothing is."""
        faults = [
            f"{phase} gave the same before and after a step: an answer is kept"
            for phase in self.kept
        ]
        if self.late_most[0] > LATE_MOST:
            faults.append(
                f"reading the weights took {self.late:.0%} of a step after it was waited for: "
                "wait does not wait for them"
            )
        return faults

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def audit_steps(
    program: Trainable, step: Callable[[], Any], calls: Mapping[str, Callable[[], Any]]
) -> StepAudit:
    """Check warm phases around a warm step; the caller restores the program.

    calls: what is timed, by phase
    """
    phases = [phase for phase in PHASES if phase in calls and phase is not Phase.TRAIN_STEP]
    before = {phase: _telling(program.get(calls[phase]())) for phase in phases}
    weights = program.weights()
    shares = _late_shares(program, step, _again)
    if shares[1] > LATE_MOST:
        shares = _late_shares(program, step, _after_a_pause)
    moved = any(not np.array_equal(weights[name], p) for name, p in program.weights().items())
    kept = [
        phase
        for phase in phases
        if moved and np.array_equal(before[phase], _telling(program.get(calls[phase]())))
    ]
    return StepAudit(
        late=round(median(shares), 3),
        late_most=(round(shares[1], 3), round(shares[-2], 3)),
        kept=tuple(kept),
    )


def _late_shares(program: Trainable, step: Callable[[], Any], control: Control) -> list[float]:
    """What comes late of several steps, as shares of their seconds, in order."""
    shares = []
    for _ in range(REPEATS):
        step_s = _seconds_of_step(program, step)
        reading_s = _reading_s(program)
        shares.append((reading_s - control(program, step, step_s)) / step_s)
    return sorted(shares)


def _again(program: Trainable, _step: Callable[[], Any], _step_s: float) -> float:
    """Seconds of a second reading."""
    return _reading_s(program)


def _after_a_pause(program: Trainable, step: Callable[[], Any], step_s: float) -> float:
    """Seconds of a first reading that waits for nothing: some frameworks keep what they have read
    (TensorFlow's second reading of a small network takes half a step less).
    """
    _seconds_of_step(program, step)
    sleep(PAUSE_STEPS * step_s)
    return _reading_s(program)


def _seconds_of_step(program: Trainable, step: Callable[[], Any]) -> float:
    begin = now()
    program.wait(step())
    return now() - begin


def _reading_s(program: Trainable) -> float:
    begin = now()
    program.weights()
    return now() - begin


def _telling(result: Mapping[str, np.ndarray]) -> np.ndarray:
    """The first output, which a loss follows."""
    return next(iter(outputs_of(result).values()))
