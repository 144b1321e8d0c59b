"""Ops of several tensors."""

from typing import ClassVar, Literal

from .base import Op, floats


class Add(Op):
    """Elementwise sum: y = x1 + x2 + ...

    The first input is batched and gives the shape; another has the same shape, or is a learned constant of it.
    """

    kind: Literal["add"] = "add"
    formula: ClassVar[str] = "y = x1 + x2"
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def output(self, inputs):
        floats(inputs[:1])
        for x in inputs[1:]:
            if x.kind != "float" or x.shape != inputs[0].shape:
                raise ValueError(f"adds tensors of one shape, got {inputs[0]} and {x}; make them equal before adding")
        return inputs[0]

    def elementwise_flops(self, inputs):
        return inputs[0].size * (len(inputs) - 1)
