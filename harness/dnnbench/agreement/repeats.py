"""Gradient passes of one program on one batch, again and again: which tensors are not always what
they mostly are.
"""

from collections.abc import Collection, Sequence

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import trainable
from ..spec.costs import training_step
from ..spec.phases import Phase
from ..spec.workload import Workload
from .comparison import TensorComparison
from .deviation import rms, rmse
from .keys import TensorKey
from .nodes import training_pass, watched
from .observing import Build

PASSES = 150
"""A fault of 2 % of calls is met with a chance of 95 %."""
MOST_FLOPS = 1e10
"""Of all passes together."""
SAME = 1e-4
"""Passes that differ by less, of a tensor's rms, are the same."""


def find_repeats(
    build: Build, workload: Workload, batches: Sequence[Batch], phases: Collection[Phase]
) -> list[TensorComparison]:
    """Every tensor of a training pass, compared between as many passes as cost little; none where
    fewer than three do.
    """
    each = training_step(workload, batches[0].size).flops
    passes = int(min(PASSES, MOST_FLOPS // max(each, 1)))
    if passes < 3 or Phase.GRADIENTS not in phases:
        return []
    program = build(watched(workload))
    try:
        seen = [training_pass(trainable(program), batches[0]) for _ in range(passes)]
    finally:
        program.close()
    return [_compared(key, [one[key] for one in seen]) for key in seen[0]]


def _compared(key: TensorKey, arrays: Sequence[np.ndarray]) -> TensorComparison:
    """Of a tensor against its median over all passes."""
    usual = np.median(np.stack(arrays).astype(np.float64), axis=0)
    allowed = SAME * rms(usual)
    errors = [rmse(array, usual) for array in arrays]
    off = sum(not error <= allowed for error in errors)
    if not off:
        return TensorComparison(key, 0.0)
    return TensorComparison(key, float("inf"), f"another value in {off} of {len(arrays)} passes")
