"""Masks of random ops that every backend is given where results are compared."""

import numpy as np

from ..spec.model import Model
from ..spec.ops.dropout import Thinning
from ..spec.weights import generator


def random_masks(model: Model, batch_size: int, seed: int) -> dict[str, np.ndarray]:
    """(N, ...) float32 of 0 and 1 by random node; an element is 1 with probability 1 - rate."""
    masks = {}
    for node in model.nodes:
        if isinstance(node.op, Thinning):
            shape = (batch_size, *node.op.mask_shape(model.input_types(node)))
            draw = generator(seed, f"mask:{node.name}").random(shape, np.float32)
            masks[node.name] = (draw >= node.op.rate).astype(np.float32)
    return masks
