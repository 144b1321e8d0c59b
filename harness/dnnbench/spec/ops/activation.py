"""Functions of one tensor that keep its shape."""

from typing import ClassVar, Literal

from pydantic import Field

from ..tensor import TensorType
from .base import Arithmetic, Op, Types, floats


class Activation(Op):
    """An op whose output has its input's type."""

    flops_per_element: ClassVar[int]

    def output(self, inputs: Types) -> TensorType:
        floats(inputs)
        return inputs[0]

    def elementwise_flops(self, inputs: Types) -> int:
        return inputs[0].size * self.flops_per_element


class Relu(Activation):
    """y = max(x, 0), with derivative 0 at 0."""

    kind: Literal["relu"] = "relu"
    formula: ClassVar[str] = "y = max(x, 0)"
    flops_per_element: ClassVar[int] = 1


class Relu6(Activation):
    """y = min(max(x, 0), 6), with derivative 0 at 0 and at 6.

    Source: Krizhevsky 2010, CIFAR-10 report.
    """

    kind: Literal["relu6"] = "relu6"
    formula: ClassVar[str] = "y = min(max(x, 0), 6)"
    flops_per_element: ClassVar[int] = 2


class LeakyRelu(Activation):
    """y = x for x > 0, else slope x; the derivative at 0 is the slope.

    Source: Maas et al. 2013.
    """

    kind: Literal["leaky_relu"] = "leaky_relu"
    slope: float = Field(0.01, ge=0, lt=1)
    formula: ClassVar[str] = "y = x > 0 ? x : a x"
    flops_per_element: ClassVar[int] = 2


class Elu(Activation):
    """y = x for x > 0, else alpha (exp(x) - 1).   Source: Clevert et al. 2015, arXiv 1511.07289."""

    kind: Literal["elu"] = "elu"
    alpha: float = Field(1.0, gt=0)
    formula: ClassVar[str] = "y = x > 0 ? x : a (exp(x) - 1)"
    flops_per_element: ClassVar[int] = 4


class Gelu(Activation):
    """y = x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2; or its `tanh` form.

    tanh: Phi(x) = (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, up to 4.7e-4 apart.
    Source: Hendrycks & Gimpel 2016, arXiv 1606.08415.
    """

    kind: Literal["gelu"] = "gelu"
    approximation: Literal["erf", "tanh"] = "erf"
    formula: ClassVar[str] = "y = x Phi(x)"
    flops_per_element: ClassVar[int] = 8


class Silu(Activation):
    """y = x / (1 + exp(-x)), also called swish.   Source: Elfwing et al. 2017, arXiv 1702.03118."""

    kind: Literal["silu"] = "silu"
    formula: ClassVar[str] = "y = x / (1 + exp(-x))"
    flops_per_element: ClassVar[int] = 4


class Hardswish(Activation):
    """y = x min(max(x + 3, 0), 6) / 6, with derivative 0 at -3 and 1 at 3.

    Source: Howard et al. 2019, arXiv 1905.02244.
    """

    kind: Literal["hardswish"] = "hardswish"
    formula: ClassVar[str] = "y = x min(max(x + 3, 0), 6) / 6"
    flops_per_element: ClassVar[int] = 5


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
    arithmetic: ClassVar[Arithmetic] = "wide"
    formula: ClassVar[str] = "y = exp(x) / sum exp(x)"
    flops_per_element: ClassVar[int] = 4
