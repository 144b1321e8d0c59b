"""Ops of several tensors."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from ..tensor import TensorType
from .base import Arithmetic, Op, Types, axis_of, floats


class _Elementwise(Op):
    """One input is batched and gives the shape; each other one stretches to it.

    That one is kept as the first. Another input has as many axes, each of the same size or of 1,
    or is a learned constant with as many or fewer axes, which stand at the end.
    """

    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def order(self, inputs: Types) -> Sequence[int]:
        places = range(len(inputs))
        widest = max(places, key=lambda i: (inputs[i].batched, inputs[i].size))
        return (widest, *(i for i in places if i != widest))

    def output(self, inputs: Types) -> TensorType:
        floats(inputs[:1])
        for x in inputs[1:]:
            if x.kind != "float" or not _stretches(x, inputs[0].shape):
                raise ValueError(
                    f"combines tensors of one shape, got {inputs[0]} and {x}; "
                    "make them equal, or axes of one 1"
                )
        return inputs[0]

    def elementwise_flops(self, inputs: Types) -> int:
        return inputs[0].size * (len(inputs) - 1)


def _stretches(x: TensorType, shape: Sequence[int]) -> bool:
    if len(x.shape) > len(shape) or (x.batched and len(x.shape) < len(shape)):
        return False
    ends = shape[len(shape) - len(x.shape) :]
    return all(mine in (1, wanted) for mine, wanted in zip(x.shape, ends, strict=True))


class Add(_Elementwise):
    """Elementwise sum: y = x1 + x2 + ...; other inputs stretch to the widest along axes of 1."""

    kind: Literal["add"] = "add"
    formula: ClassVar[str] = "y = x1 + x2"


class Mul(_Elementwise):
    """Elementwise product: y = x1 x2 ..., each stretched along axes of 1 (gates, layer scale)."""

    kind: Literal["mul"] = "mul"
    formula: ClassVar[str] = "y = x1 x2"


class Concat(Op):
    """Tensors joined along one axis of an example (0 the first, -1 the last).

    A learned constant is repeated for every example; one input at least is batched.
    """

    kind: Literal["concat"] = "concat"
    axis: int = -1
    formula: ClassVar[str] = "y = [x1, x2]"
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def output(self, inputs: Types) -> TensorType:
        floats([x for x in inputs if x.batched] or inputs)
        first = inputs[0].shape
        axis = axis_of(self.axis, first)
        for x in inputs[1:]:
            if (
                x.kind != "float"
                or _without(x.shape, axis) != _without(first, axis)
                or len(x.shape) != len(first)
            ):
                raise ValueError(
                    f"joins tensors that differ in axis {axis} alone, got {inputs[0]} and {x}"
                )
        return TensorType((*first[:axis], sum(x.shape[axis] for x in inputs), *first[axis + 1 :]))


def _without(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


class Matmul(Op):
    """Product of two batched stacks of matrices: y = a b, or y = a b^T.

    a: (N, ..., m, k)   b: (N, ..., k, n), or (N, ..., n, k) with `transpose_b`   y: (N, ..., m, n)
    """

    kind: Literal["matmul"] = "matmul"
    transpose_b: bool = False
    arithmetic: ClassVar[Arithmetic] = "product"
    formula: ClassVar[str] = "y = a b"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    def output(self, inputs: Types) -> TensorType:
        floats(inputs[:1])
        floats(inputs[1:])
        a, b = (x.shape for x in inputs)
        if len(a) < 2 or len(a) != len(b) or a[:-2] != b[:-2]:
            raise ValueError(
                f"multiplies matrices in stacks of one shape, got {inputs[0]} and {inputs[1]}"
            )
        rows, columns = (b[-1], b[-2]) if self.transpose_b else (b[-2], b[-1])
        if a[-1] != rows:
            hint = "" if self.transpose_b or a[-1] != b[-1] else "; set transpose_b"
            raise ValueError(
                f"inner sizes of {inputs[0]} and {inputs[1]} differ: {a[-1]} and {rows}{hint}"
            )
        return TensorType((*a[:-1], columns))

    def macs(self, inputs: Types) -> int:
        return self.output(inputs).size * inputs[0].shape[-1]
