"""Affine maps."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import PositiveInt

from ..tensor import ZEROS, Parameter, TensorType, he_uniform
from .base import Arithmetic, Op, Types, floats


class Dense(Op):
    """Affine map of the last axis: y = x W + b.

    x: (N, n) or (N, T, n)   W: (n, units)   b: (units,)   y: (N, units) or (N, T, units)
    transposed: y = x W^T + b with W: (units, n), the shape of an embedding's table,
    so that the two can share it.
    """

    kind: Literal["dense"] = "dense"
    units: PositiveInt
    bias: bool = True
    transposed: bool = False
    arithmetic: ClassVar[Arithmetic] = "product"
    formula: ClassVar[str] = "y = x W + b"

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        shape = inputs[0].shape
        if len(shape) not in (1, 2):
            raise ValueError(
                f"input {inputs[0]} has {inputs[0].size} features in {len(shape)} "
                f"axes but units={self.units} expects (N, n) or (N, T, n); "
                f"put a flatten before it{self._or_convolution(shape)}"
            )
        return TensorType((*shape[:-1], self.units))

    def _or_convolution(self, shape: Sequence[int]) -> str:
        """Advice for an image: the same map at each of its pixels is a convolution."""
        of_each_pixel = (
            f", or for {self.units} units at every pixel use conv2d(filters={self.units}, kernel=1)"
        )
        return of_each_pixel if len(shape) == 3 else ""

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        n = inputs[0].shape[-1]
        shape = (self.units, n) if self.transposed else (n, self.units)
        weight = {"weight": Parameter(shape, he_uniform(n))}
        return weight | ({"bias": Parameter((self.units,), ZEROS)} if self.bias else {})

    def macs(self, inputs: Types) -> int:
        return inputs[0].size * self.units
