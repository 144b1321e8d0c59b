"""Which family a case belongs to: the file it is written in."""

from collections.abc import Callable

from ..spec.workload import Workload
from .cases import (
    CASES,
    activations,
    convolutions,
    dense,
    everything,
    extremes,
    norms,
    pools,
    sequences,
    shapes,
)

TRAINING = "losses and optimizers"
_FILES = (dense, convolutions, pools, norms, activations, shapes, sequences, everything, extremes)


def _family(build: Callable[[], Workload]) -> str:
    for file in _FILES:
        if build in vars(file).values():
            return file.__name__.rpartition(".")[2]
    return TRAINING


FAMILIES = {case: _family(build) for case, build in CASES.items()}
"""By case, in the order of CASES."""
