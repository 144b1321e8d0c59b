"""Functions of one tensor that keep its shape."""

from typing import ClassVar, Literal

from .base import Op, floats


class Activation(Op):
    """An op whose output has its input's type."""

    flops_per_element: ClassVar[int]

    def output(self, inputs):
        floats(inputs)
        return inputs[0]

    def elementwise_flops(self, inputs):
        return inputs[0].size * self.flops_per_element


class Relu(Activation):
    """y = max(x, 0), with derivative 0 at 0."""

    kind: Literal["relu"] = "relu"
    formula: ClassVar[str] = "y = max(x, 0)"
    flops_per_element: ClassVar[int] = 1


class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x))."""

    kind: Literal["sigmoid"] = "sigmoid"
    formula: ClassVar[str] = "y = 1 / (1 + exp(-x))"
    flops_per_element: ClassVar[int] = 3


class Tanh(Activation):
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""

    kind: Literal["tanh"] = "tanh"
    formula: ClassVar[str] = "y = tanh(x)"
    flops_per_element: ClassVar[int] = 3


class Softmax(Activation):
    """y_i = exp(x_i - max x) / sum_j exp(x_j - max x) over the last axis."""

    kind: Literal["softmax"] = "softmax"
    formula: ClassVar[str] = "y = exp(x) / sum exp(x)"
    flops_per_element: ClassVar[int] = 4
