"""A second look at a rate near or above the measured peak:
whether a program does the work of every call.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from ..host.placement import FREE, Placement
from ..protocol.batch import Batch
from ..protocol.program import Program, Trainable, trainable
from .growth import REPEATS, Growth, growth_of, most_of, pair_of_calls, seconds_of

FRESH_MOST = 2.0
"""How many times as long as its repetition an inference after a step may take:
the step leaves caches in another state.
"""


@dataclass(frozen=True)
class RateAudit:
    """What one phase of a program shows when it is called in ways that a kept answer
    would give away.

    growth: of time with the calls
    fresh: time of an inference after a step and another batch, over that of the same one again
    step_moves: a step changed a weight
    step_shows: and inference on the same placed batch another output
    answers_differ: another input gave another result
    fresh is a median of pairs; `fresh_most` holds all pairs but the least and the most, and a fault
    needs that range. What could not be asked is True.
    """

    growth: Growth
    fresh: float
    fresh_most: tuple[float, float]
    step_moves: bool
    step_shows: bool
    answers_differ: bool

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; empty if nothing is."""
        faults = self.growth.faults
        if self.fresh_most[0] > FRESH_MOST:
            faults.append(
                f"an inference took {self.fresh:.1f} times as long as the same one again: "
                "answers are kept"
            )
        if not self.step_moves:
            faults.append("a training step changed no weight")
        if not self.step_shows:
            faults.append(
                "inference gave the same output before and after a step: an answer is cached"
            )
        if not self.answers_differ:
            faults.append("another input gave the same result: an answer is cached")
        return faults

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"faults": self.faults}


def audit_rate(
    program: Program,
    batch: Batch,
    phase: str,
    calls: int,
    trains: bool,
    placement: Placement = FREE,
) -> RateAudit:
    """Check a warm phase, `infer` or `train_step`, with `calls` as n; leaves the program as it was.

    trains: whether the program can be trained, so that a step can be put between two inferences.
    placement: of the threads that the phase keeps busy
    """
    trained = trainable(program) if trains else None
    same = batch.rows(np.zeros(batch.size, int))
    placed, other = program.put(batch), program.put(same)
    restore = _restorer(trained)
    call = partial(getattr(program, phase), placed)
    pairs, fresh = [], []
    try:
        # Medians of several: foreign work spoils some of them, and not all to one side.
        for _ in range(REPEATS):
            restore()
            pairs.append(pair_of_calls(program, call, calls, placement))
        for _ in range(REPEATS):
            fresh.append(_freshness(program, trained, placed, other))
        restore()
        moves, shows = _step_between(trained, placed) if trained else (True, True)
        differ = _equal_inputs(batch, same) or _results_differ(
            program, restore, phase, placed, other
        )
    finally:
        restore()
    return RateAudit(
        growth=growth_of(pairs),
        fresh=round(median(fresh), 3),
        fresh_most=most_of(fresh),
        step_moves=moves,
        step_shows=shows,
        answers_differ=differ,
    )


def _restorer(trained: Trainable | None) -> Callable[[], None]:
    """Takes a program that is trained back to where it is now; nothing else changes one."""
    if trained is None:
        return lambda: None
    return partial(trained.restore, trained.snapshot())


def _freshness(program: Program, trained: Trainable | None, placed: Any, other: Any) -> float:
    """Time of an inference that no earlier one can answer, over that of its repetition."""
    if trained is not None:
        trained.wait(trained.train_step(placed))
    program.wait(program.infer(other))
    infer = partial(program.infer, placed)
    return seconds_of(program, infer, 1) / seconds_of(program, infer, 1)


def _step_between(program: Trainable, placed: Any) -> tuple[bool, bool]:
    """Whether a step changed a weight, and whether inference on the same placed batch shows it."""
    weights, before = program.weights(), program.get(program.infer(placed))
    program.wait(program.train_step(placed))
    moved = _differ(weights, program.weights())
    return moved, not moved or _differ(before, program.get(program.infer(placed)))


def _results_differ(
    program: Program, restore: Callable[[], None], phase: str, placed: Any, other: Any
) -> bool:
    results = []
    for fed in (placed, other):
        restore()
        results.append(program.get(getattr(program, phase)(fed)))
    return _differ(*results)


def _equal_inputs(batch: Batch, same: Batch) -> bool:
    return all(np.array_equal(same.inputs[name], array) for name, array in batch.inputs.items())


def _differ(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    return any(not np.array_equal(one[name], two[name]) for name in one)
