"""What every operation tells about itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from ..tensor import Parameter, Spec, TensorType

Types = Sequence[TensorType]
"""Of an op's inputs, in their order."""
Arithmetic = Literal["product", "wide", "plain"]


class Op(Spec, ABC):
    """One operation: attributes, shape rule, parameters, work. Data only; backends compute it.

    Laws: `output` raises ValueError, saying what to do, for inputs the op cannot take;
    every other method may assume that `output` accepted them. Counts are for one example.
    """

    formula: ClassVar[str]
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """Fewest and most inputs; None for no upper limit."""
    random: ClassVar[bool] = False
    """Draws random numbers in training mode."""
    arithmetic: ClassVar[Arithmetic] = "plain"
    """In low precision: multiplies matrices, sums many elements (in float32), or neither."""

    def order(self, inputs: Types) -> Sequence[int]:
        """Places of the inputs in the order that they are kept in.

        As written, unless the result is the same in any order.
        """
        return range(len(inputs))

    @abstractmethod
    def output(self, inputs: Types) -> TensorType:
        """Type of the result; ValueError if the inputs do not fit."""

    def parameters(self, inputs: Types) -> Mapping[str, Parameter]:
        """Arrays that training learns, by role (`weight`, `bias`, ...)."""
        return {}

    def state(self, inputs: Types) -> Mapping[str, Parameter]:
        """Arrays that training updates without a gradient (running statistics), by role."""
        return {}

    def macs(self, inputs: Types) -> int:
        """Multiply-adds of the forward pass of convolutions and matrix products.

        Other arithmetic is not a MAC.
        """
        return 0

    def elementwise_flops(self, inputs: Types) -> int:
        """Forward arithmetic that is not a MAC."""
        return 0


def floats(inputs: Types) -> None:
    """Refuse integer inputs and learned constants: the rule of most ops."""
    for x in inputs:
        if x.kind != "float":
            raise ValueError(
                f"wants a float input, got {x}; put an op that turns {x.kind} into numbers before "
                "it"
            )
        if not x.batched:
            raise ValueError(
                f"cannot read the learned constant {x} alone; add it to a batched tensor first"
            )


def image(inputs: Types) -> tuple[int, int, int]:
    """(H, W, C) of the single image input."""
    floats(inputs)
    shape = inputs[0].shape
    if len(shape) != 3:
        raise ValueError(
            f"wants an image (N, H, W, C), got {inputs[0]}; give the input a shape of three sizes"
        )
    return shape


def sequence(inputs: Types) -> tuple[int, int]:
    """(T, C) of the single sequence input."""
    floats(inputs)
    shape = inputs[0].shape
    if len(shape) != 2:
        raise ValueError(
            f"wants a sequence (N, T, C), got {inputs[0]}; give the input a shape of two sizes"
        )
    return shape


def axis_of(axis: int, shape: Sequence[int]) -> int:
    """An axis of one example counted from 0; ValueError if there is no such axis."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(
            f"axis={axis} does not exist: an example has {len(shape)} axes (0 is the first after N)"
        )
    return axis % len(shape)
