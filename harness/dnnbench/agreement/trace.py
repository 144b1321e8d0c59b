"""What a trace is, and what a search for one reads of a program."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program, is_trainable
from ..spec.phases import Phase
from .deviation import rms, rmse
from .keys import Group, Tensors, keyed

SAME = 1e-3
"""Two answers that differ by less than this share of what they might differ by are the same."""

TIMES = 5
"""What is wrong in one call of ten is wrong so many times in a row in one search of 100,000."""


class Part(StrEnum):
    """What makes a program, and its methods that are no phase."""

    BUILD = "build"
    PUT = "put"
    LOAD = "load"
    RESTORE = "restore"


@dataclass(frozen=True)
class Trace:
    """A method of a program, a phase or a Part, and what is wrong with it in words.

    certain: whether nothing else leaves the same
    """

    name: str
    fault: str
    certain: bool = True


Arrays = Mapping[str, np.ndarray]
Held = Mapping[str, Mapping[str, np.ndarray]]
"""Arrays by name, by what they are called together."""
Name = TypeVar("Name")


def copy_of(batch: Batch) -> Batch:
    return batch.rows(np.arange(batch.size))


def answer_of(program: Program, phase: Phase, placed: Any) -> Tensors:
    answer = keyed(program.get(getattr(program, phase)(placed)), phase)
    return {key: array for key, array in answer.items() if key.group is not Group.PREDICTION}


def settled(program: Program, phase: Phase, placed: Any) -> Tensors:
    """The same, where it is the same every time; what is wrong at random is not, and gives
    nothing.
    """
    one, *others = (answer_of(program, phase, placed) for _ in range(TIMES))
    return one if all(apart(other, one) <= SAME for other in others) else {}


def everything_in(program: Program) -> dict[str, dict[str, np.ndarray]]:
    """What a program holds, by what it is called."""
    held = {"weights": program.weights()}
    if is_trainable(program):
        held |= {"running statistics": program.model_state(), "slots": program.optimizer_state()}
    return {what: copies(arrays) for what, arrays in held.items()}


def copies(arrays: Arrays) -> dict[str, np.ndarray]:
    return {name: np.array(array) for name, array in arrays.items()}


def apart(
    a: Mapping[Name, np.ndarray],
    b: Mapping[Name, np.ndarray],
    from_b: Mapping[Name, np.ndarray] | None = None,
) -> float:
    """The largest rmse of a - b, over the size of both or the way of `from_b` from b."""
    largest = 0.0
    for name, wanted in b.items():
        if name not in a or a[name].shape != wanted.shape:
            return float("inf")
        if not wanted.size or np.array_equal(a[name], wanted, equal_nan=True):
            continue
        if not (np.all(np.isfinite(a[name])) and np.all(np.isfinite(wanted))):
            continue  # a part makes such numbers, and the search finds it
        size = rmse(from_b[name], wanted) if from_b else max(rms(a[name]), rms(wanted))
        largest = max(largest, rmse(a[name], wanted) / size if size > 0 else float("inf"))
    return largest
