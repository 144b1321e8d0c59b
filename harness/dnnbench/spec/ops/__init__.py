"""The operations of a network, one family a file; `AnyOp` is what a workload file may name."""

from typing import Annotated, get_args

from pydantic import Field

from .activation import Elu, Gelu, Hardswish, LeakyRelu, Relu, Relu6, Sigmoid, Silu, Softmax, Tanh
from .attention import Attention
from .base import Op
from .combine import Add, Concat, Matmul, Mul
from .conv import Conv1d, Conv2d, ConvTranspose2d
from .dense import Dense
from .dropout import Dropout, StochasticDepth
from .embedding import Embedding, PositionEmbedding
from .norm import BatchNorm, GroupNorm, LayerNorm, RmsNorm
from .pool import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool2d
from .recurrent import Gru, Lstm
from .shape import Flatten, Mean, Reshape, Slice, Transpose

AnyOp = Annotated[
    Dense
    | Matmul
    | Conv1d
    | Conv2d
    | ConvTranspose2d
    | MaxPool2d
    | AvgPool2d
    | GlobalAvgPool
    | GlobalMaxPool
    | AdaptiveAvgPool2d
    | Flatten
    | Reshape
    | Transpose
    | Slice
    | Concat
    | Mean
    | Relu
    | Relu6
    | LeakyRelu
    | Elu
    | Gelu
    | Silu
    | Hardswish
    | Sigmoid
    | Tanh
    | Softmax
    | Add
    | Mul
    | Dropout
    | StochasticDepth
    | BatchNorm
    | LayerNorm
    | RmsNorm
    | GroupNorm
    | Embedding
    | PositionEmbedding
    | Lstm
    | Gru
    | Attention,
    Field(discriminator="kind"),
]
OPS: dict[str, type[Op]] = {
    op.model_fields["kind"].default: op for op in get_args(get_args(AnyOp)[0])
}
"""Op classes by kind."""
