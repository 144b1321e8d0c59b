"""A workload with weights of its own, which the reference and a contender compute node by node."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..protocol.batch import Batch
from ..spec.workload import Workload

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Replay:
    """A workload and what it is fed; `weights` stand in for initial ones of the same name.

    built_from: what an arm's program is built from before it loads `weights`, by name; `weights`
    where it has none
    """

    workload: Workload
    batches: tuple[Batch, ...]
    steps: tuple[int, ...] = ()
    weights: Arrays = field(default_factory=dict)
    built_from: Arrays = field(default_factory=dict)
