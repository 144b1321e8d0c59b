"""How each op of the spec is written in ONNX, one family a file.

`<kind>(op, *inputs, **parameters, **state)` adds operators to the graph of its inputs and gives the
tensor that they make, as the functions of the backends do. What an op means stands in
`dnnbench.spec.ops`.
"""

from .activation import (
    elu,
    gelu,
    hardswish,
    leaky_relu,
    relu,
    relu6,
    sigmoid,
    silu,
    softmax,
    tanh,
)
from .attention import attention
from .combine import add, concat, matmul, mul
from .conv import conv1d, conv2d, conv_transpose2d
from .dense import dense
from .embedding import embedding, position_embedding
from .norm import batch_norm, group_norm, layer_norm, rms_norm
from .pool import adaptive_avg_pool2d, avg_pool2d, global_avg_pool, global_max_pool, max_pool2d
from .recurrent import gru, lstm
from .shape import flatten, mean, reshape, slice, transpose

__all__ = [
    "adaptive_avg_pool2d",
    "add",
    "attention",
    "avg_pool2d",
    "batch_norm",
    "concat",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "dense",
    "elu",
    "embedding",
    "flatten",
    "gelu",
    "global_avg_pool",
    "global_max_pool",
    "group_norm",
    "gru",
    "hardswish",
    "layer_norm",
    "leaky_relu",
    "lstm",
    "matmul",
    "max_pool2d",
    "mean",
    "mul",
    "position_embedding",
    "relu",
    "relu6",
    "reshape",
    "rms_norm",
    "sigmoid",
    "silu",
    "slice",
    "softmax",
    "tanh",
    "transpose",
]
