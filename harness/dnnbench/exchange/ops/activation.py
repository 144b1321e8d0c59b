"""Functions of one tensor that keep its shape, in whatever order its axes stand.

In float64 by steps where an operator has a number of its own: attributes of ONNX are float32.
"""

from math import pi

from ...spec.ops.activation import (
    Elu,
    Gelu,
    Hardswish,
    LeakyRelu,
    Relu,
    Relu6,
    Sigmoid,
    Silu,
    Softmax,
    Tanh,
)
from ..tensor import Tensor


def relu(op: Relu, x: Tensor) -> Tensor:
    return x.by("Relu")


def relu6(op: Relu6, x: Tensor) -> Tensor:
    return x.by("Clip", x.graph.constant(0.0), x.graph.constant(6.0))


def leaky_relu(op: LeakyRelu, x: Tensor) -> Tensor:
    if x.graph.exact:  # the slope is below 1, so that the larger of the two is the right one
        return x.by("Max", x.by("Mul", x.graph.constant(op.slope)).name)
    return x.by("LeakyRelu", alpha=op.slope)


def elu(op: Elu, x: Tensor) -> Tensor:
    return x.by("Elu", alpha=op.alpha)


def gelu(op: Gelu, x: Tensor) -> Tensor:
    if x.graph.exact:
        share = _normal_share_by_tanh(x) if op.approximation == "tanh" else _normal_share(x)
        return x.by("Mul", share.name)
    return x.by("Gelu", approximate="tanh" if op.approximation == "tanh" else "none")


def _normal_share(x: Tensor) -> Tensor:
    """(1 + erf(x / sqrt 2)) / 2"""
    number = x.graph.constant
    error = x.by("Mul", number(0.5**0.5)).by("Erf")
    return error.by("Add", number(1.0)).by("Mul", number(0.5))


def _normal_share_by_tanh(x: Tensor) -> Tensor:
    """(1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2"""
    number = x.graph.constant
    cube = x.by("Mul", x.name).by("Mul", x.name)
    inner = cube.by("Mul", number(0.044715)).by("Add", x.name)
    bent = inner.by("Mul", number((2 / pi) ** 0.5)).by("Tanh")
    return bent.by("Add", number(1.0)).by("Mul", number(0.5))


def silu(op: Silu, x: Tensor) -> Tensor:
    return x.by("Mul", x.by("Sigmoid").name)


def hardswish(op: Hardswish, x: Tensor) -> Tensor:
    if x.graph.exact:
        number = x.graph.constant
        gate = x.by("Add", number(3.0)).by("Clip", number(0.0), number(6.0))
        return x.by("Mul", gate.name).by("Div", number(6.0))
    return x.by("HardSwish")


def sigmoid(op: Sigmoid, x: Tensor) -> Tensor:
    return x.by("Sigmoid")


def tanh(op: Tanh, x: Tensor) -> Tensor:
    return x.by("Tanh")


def softmax(op: Softmax, x: Tensor) -> Tensor:
    x = x.rows
    return x.by("Softmax", axis=x.rank - 1)
