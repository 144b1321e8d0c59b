"""Masks of random ops that every backend is given where results are compared."""

import numpy as np

from ..spec.model import Model
from ..spec.weights import generator


def random_masks(model: Model, batch_size: int, seed: int) -> dict[str, np.ndarray]:
    """(N, ...) float32 of 0 and 1 by random node; an element is 1 with probability 1 - rate."""
    return {node.name: _mask(model, node, batch_size, seed) for node in model.nodes if node.op.random}


def _mask(model: Model, node, batch_size: int, seed: int) -> np.ndarray:
    shape = (batch_size, *node.op.mask_shape(model.input_types(node)))
    return (generator(seed, f"mask:{node.name}").random(shape, np.float32) >= node.op.rate).astype(np.float32)
