"""Dropout masks that every backend is given where results are compared."""

import numpy as np

from ..spec.model import Model
from ..spec.ops.dropout import Dropout
from ..spec.weights import generator


def dropout_masks(model: Model, batch_size: int, seed: int) -> dict[str, np.ndarray]:
    """(N, ...) float32 of 0 and 1 by dropout node; an element is 1 with probability 1 - rate."""
    nodes = [node for node in model.nodes if isinstance(node.op, Dropout)]
    return {node.name: _mask(model, node, batch_size, seed) for node in nodes}


def _mask(model: Model, node, batch_size: int, seed: int) -> np.ndarray:
    shape = (batch_size, *model.types[node.name].shape)
    return (generator(seed, f"mask:{node.name}").random(shape, np.float32) >= node.op.rate).astype(np.float32)
