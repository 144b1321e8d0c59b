"""Weights and slots of a type of 16 bits are kept in float32: numbers in which all of them are
numbers of 16 bits are kept in fewer bits, however small that makes their error.
"""

from collections.abc import Collection, Mapping

import numpy as np

from ..protocol.batch import Batch
from ..protocol.dtypes import DType
from ..protocol.precision import PRECISIONS
from ..protocol.program import trainable
from ..protocol.rounding import rounded
from ..spec.phases import Phase
from ..spec.workload import Workload
from .comparison import TensorComparison
from .keys import Group, TensorKey
from .observing import Build, with_optimizer

STEPS = 2
"""In the second one a mean of gradients is no gradient any more, which may have 16 bits."""
ENOUGH = 32
"""Numbers of float32 that happen to be numbers of 16 bits are rarer than one in 2^(13 x 32)."""


def compare_kept(
    build: Build, workload: Workload, dtype: str, batch: Batch, phases: Collection[Phase]
) -> list[TensorComparison]:
    """What two steps of the workload's own optimizer leave: whether anything kept has more bits
    than the type's products; nothing of a type whose products have them all.
    """
    precision = PRECISIONS[DType(dtype)]
    if Phase.TRAIN_STEP not in phases or not precision.low:
        return []
    program = trainable(build(with_optimizer(workload, workload.task.optimizer)))
    try:
        placed = program.put(batch)
        start = program.weights()
        for _ in range(STEPS):
            program.wait(program.train_step(placed))
        end, slots = program.weights(), program.optimizer_state()
    finally:
        program.close()
    moved = {name: array[array != start[name]] for name, array in end.items()}
    by_slot: dict[str, dict[str, np.ndarray]] = {}
    for text, array in slots.items():
        slot, _, name = text.partition("/")
        by_slot.setdefault(slot, {})[name] = array[array != 0]
    kind = workload.task.optimizer.kind
    findings = []
    for slot, arrays in {"": moved, **by_slot}.items():
        name = max(arrays, key=lambda one: arrays[one].size, default="")
        if name and _all_in_16_bits(arrays, precision.products):
            group = Group.SLOTS if slot else Group.WEIGHTS
            key = TensorKey(group, name, Phase.TRAIN_STEP, kind, STEPS, slot)
            reason = f"every number is one of {precision.products}, expected float32"
            findings.append(TensorComparison(key, float("inf"), reason))
    return findings


def _all_in_16_bits(arrays: Mapping[str, np.ndarray], dtype: str) -> bool:
    count = sum(array.size for array in arrays.values())
    same = all(np.array_equal(rounded(array, dtype), array) for array in arrays.values())
    return count >= ENOUGH and same
