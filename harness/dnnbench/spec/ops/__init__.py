"""The operations of a network, one family a file; `AnyOp` is what a workload file may name."""

from typing import Annotated, get_args

from pydantic import Field

from .activation import Relu, Sigmoid, Softmax, Tanh
from .base import Op
from .combine import Add
from .conv import Conv2d
from .dense import Dense
from .dropout import Dropout
from .norm import BatchNorm
from .pool import AvgPool2d, GlobalAvgPool, MaxPool2d
from .shape import Flatten

AnyOp = Annotated[
    Dense
    | Conv2d
    | MaxPool2d
    | AvgPool2d
    | GlobalAvgPool
    | Flatten
    | Relu
    | Sigmoid
    | Tanh
    | Softmax
    | Add
    | Dropout
    | BatchNorm,
    Field(discriminator="kind"),
]
OPS: dict[str, type[Op]] = {op.model_fields["kind"].default: op for op in get_args(get_args(AnyOp)[0])}
"""Op classes by kind."""
