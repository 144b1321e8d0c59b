"""One use of every op, for its page: attributes that must be given or that show,
and types of inputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .tensor import TensorType

IMAGE = TensorType((8, 8, 3))
SEQUENCE = TensorType((6, 8))
FEATURES = TensorType((10,))
IDS = TensorType((6,), "int32")


@dataclass(frozen=True)
class Example:
    """An op's attributes, and what it is given."""

    inputs: tuple[TensorType, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


EXAMPLES: Mapping[str, Example] = {
    "dense": Example((FEATURES,), {"units": 4}),
    "matmul": Example((SEQUENCE, SEQUENCE), {"transpose_b": True}),
    "conv1d": Example((SEQUENCE,), {"filters": 4, "kernel": 3}),
    "conv2d": Example((IMAGE,), {"filters": 4, "kernel": 3, "strides": 2}),
    "conv_transpose2d": Example((IMAGE,), {"filters": 4, "kernel": 2, "strides": 2}),
    "max_pool2d": Example((IMAGE,), {"window": 2}),
    "avg_pool2d": Example((IMAGE,), {"window": 3, "strides": 1, "padding": "same"}),
    "global_avg_pool": Example((IMAGE,)),
    "global_max_pool": Example((IMAGE,)),
    "adaptive_avg_pool2d": Example((IMAGE,), {"size": 3}),
    "flatten": Example((IMAGE,)),
    "reshape": Example((IMAGE,), {"shape": (64, 3)}),
    "transpose": Example((SEQUENCE,), {"axes": (1, 0)}),
    "slice": Example((SEQUENCE,), {"axis": 0, "start": 1, "stop": 4}),
    "concat": Example((SEQUENCE, SEQUENCE), {"axis": 0}),
    "mean": Example((SEQUENCE,), {"axes": (0,)}),
    "relu": Example((FEATURES,)),
    "relu6": Example((FEATURES,)),
    "leaky_relu": Example((FEATURES,), {"slope": 0.2}),
    "elu": Example((FEATURES,)),
    "gelu": Example((FEATURES,), {"approximation": "tanh"}),
    "silu": Example((FEATURES,)),
    "hardswish": Example((FEATURES,)),
    "sigmoid": Example((FEATURES,)),
    "tanh": Example((FEATURES,)),
    "softmax": Example((FEATURES,)),
    "add": Example((SEQUENCE, TensorType((8,), batched=False))),
    "mul": Example((IMAGE, TensorType((1, 1, 3)))),
    "dropout": Example((FEATURES,), {"rate": 0.1}),
    "stochastic_depth": Example((IMAGE,), {"rate": 0.1}),
    "batch_norm": Example((IMAGE,)),
    "layer_norm": Example((SEQUENCE,)),
    "rms_norm": Example((SEQUENCE,)),
    "group_norm": Example((TensorType((8, 8, 4)),), {"groups": 2}),
    "embedding": Example((IDS,), {"vocabulary": 100, "features": 8}),
    "position_embedding": Example((SEQUENCE,), {"positions": 16}),
    "lstm": Example((SEQUENCE,), {"units": 5}),
    "gru": Example((SEQUENCE,), {"units": 5, "sequences": False}),
    "attention": Example((SEQUENCE, SEQUENCE, SEQUENCE), {"heads": 2, "causal": True}),
}
"""By kind."""
