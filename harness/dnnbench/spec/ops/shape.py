"""Ops that move elements without arithmetic."""

from typing import ClassVar, Literal

from ..tensor import TensorType
from .base import Op, floats


class Flatten(Op):
    """All axes of an example in one, in the order H, W, C.

    x: (N, ...)   y: (N, product of the axes)
    """

    kind: Literal["flatten"] = "flatten"
    formula: ClassVar[str] = "y = x, axes joined"

    def output(self, inputs):
        floats(inputs)
        return TensorType((inputs[0].size,))
