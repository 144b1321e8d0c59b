"""Norms that take equal values together: the exact answer is the bias,
and what reads it may tie.
"""

from collections.abc import Mapping
from math import prod

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import trainable
from ..spec.model import Node
from ..spec.ops.norm import BatchNorm, GroupNorm
from ..spec.workload import Workload
from .allowances import UNIT
from .observing import Build

MEANS = frozenset({"batch_norm", "layer_norm", "group_norm"})
"""Norms that take a mean away."""


def level_norms(build: Build, workload: Workload, batch: Batch) -> tuple[str, ...]:
    """Names of the nodes that do so somewhere in a training pass, built in float64."""
    norms = [node for node in workload.model.nodes if node.op.kind in MEANS]
    if not norms or workload.inference_only:
        return ()
    program = trainable(build(workload))
    try:
        values = {**batch.inputs, **program.activations(program.put(batch))}
    finally:
        program.close()
    return tuple(node.name for node in norms if _is_level(node, values))


def _is_level(node: Node, values: Mapping[str, np.ndarray]) -> bool:
    """Whether a variance is no more than the rounding of its mean makes of equal values."""
    x = _together(node, np.asarray(values[node.inputs[0]], np.float64))
    mean = x.mean(axis=0)
    variance = np.square(x - mean).mean(axis=0)
    return bool(np.any(variance <= np.square(len(x) * UNIT["float64"] * mean)))


def _together(node: Node, x: np.ndarray) -> np.ndarray:
    """(values that one mean is taken over, means)"""
    match node.op:
        case BatchNorm():
            return x.reshape(-1, x.shape[-1])
        case GroupNorm():
            groups = node.op.groups
            grouped = x.reshape(len(x), prod(x.shape[1:-1]), groups, -1)
            return np.moveaxis(grouped, 2, 1).reshape(len(x) * groups, -1).T
    return x.reshape(-1, x.shape[-1]).T
