"""Ops that move elements without arithmetic, and means over axes.

Axes are those of one example: 0 is the first after the batch, -1 the last.
"""

from math import prod
from typing import ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from ..tensor import MOST_AXES, Shape, TensorType
from .base import Arithmetic, Op, Types, axis_of, floats


class Flatten(Op):
    """All axes of an example in one, in the order H, W, C.

    x: (N, ...)   y: (N, product of the axes)
    """

    kind: Literal["flatten"] = "flatten"
    formula: ClassVar[str] = "y = x, axes joined"

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        return TensorType((inputs[0].size,))


class Reshape(Op):
    """The same elements in the same order in other axes.      x: (N, ...)   y: (N, *shape)"""

    kind: Literal["reshape"] = "reshape"
    shape: Shape
    formula: ClassVar[str] = "y = x in other axes"

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        if prod(self.shape) != inputs[0].size:
            raise ValueError(
                f"cannot put the {inputs[0].size} elements of {inputs[0]} into {list(self.shape)}, "
                f"which holds {prod(self.shape)}"
            )
        return TensorType(self.shape)


class Transpose(Op):
    """Axes of an example in another order: axis i of y is axis axes[i] of x."""

    kind: Literal["transpose"] = "transpose"
    axes: tuple[NonNegativeInt, ...] = Field(max_length=MOST_AXES)
    formula: ClassVar[str] = "y = x, axes permuted"

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        shape = inputs[0].shape
        if sorted(self.axes) != list(range(len(shape))):
            raise ValueError(
                f"axes={list(self.axes)} do not name each axis of {inputs[0]} once "
                "(0 is the first after N)"
            )
        return TensorType(tuple(shape[axis] for axis in self.axes))


class Slice(Op):
    """Part of one axis: y = x[..., start:stop, ...]; without stop to the end."""

    kind: Literal["slice"] = "slice"
    axis: int = 0
    start: NonNegativeInt = 0
    stop: PositiveInt | None = None
    formula: ClassVar[str] = "y = x[start:stop]"

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        shape = inputs[0].shape
        axis = axis_of(self.axis, shape)
        stop = shape[axis] if self.stop is None else self.stop
        if not self.start < stop <= shape[axis]:
            raise ValueError(
                f"[{self.start}:{stop}] is no part of axis {axis} of {inputs[0]}, "
                f"which has {shape[axis]} places"
            )
        return TensorType((*shape[:axis], stop - self.start, *shape[axis + 1 :]))


class Mean(Op):
    """Mean over some axes, which disappear.      x: (N, ...)   y: (N, the other axes)"""

    kind: Literal["mean"] = "mean"
    axes: tuple[int, ...] = Field((0,), min_length=1, max_length=MOST_AXES)
    arithmetic: ClassVar[Arithmetic] = "wide"
    formula: ClassVar[str] = "y = mean over axes of x"

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        shape = inputs[0].shape
        gone = [axis_of(axis, shape) for axis in self.axes]
        if len(set(gone)) < len(gone):
            raise ValueError(f"axes={list(self.axes)} name an axis of {inputs[0]} twice")
        return TensorType(tuple(size for axis, size in enumerate(shape) if axis not in gone))

    def elementwise_flops(self, inputs: Types) -> int:
        return inputs[0].size
