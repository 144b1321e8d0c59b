"""Convolutions."""

from math import prod
from typing import ClassVar, Literal

from pydantic import PositiveInt

from ..tensor import ZEROS, Parameter, TensorType, he_uniform
from .base import Op, image
from .windows import Padding, Pads, Pair, resolve_padding, windows_along


class Conv2d(Op):
    """Two-dimensional cross-correlation.

    y[n,i,j,f] = b[f] + sum_{u,v,c} xpad[n, i s_h + u d_h, j s_w + v d_w, c] W[u,v,c,f]
    x: (N, H, W, C)   W: (kh, kw, C, filters)   b: (filters,)   y: (N, H', W', filters)
    H' = (H + lo + hi - (kh - 1) d_h - 1) // s_h + 1. Padding is with zeros.
    Source: Dumoulin & Visin 2016, arXiv 1603.07285.
    """

    kind: Literal["conv2d"] = "conv2d"
    filters: PositiveInt
    kernel: Pair
    strides: Pair = (1, 1)
    padding: Padding = "same"
    dilation: Pair = (1, 1)
    bias: bool = True
    formula: ClassVar[str] = "y = x * W + b"

    def pads(self, inputs) -> Pads:
        """Zeros added before and after each spatial axis."""
        return resolve_padding(self.padding, inputs[0].shape[:2], self.kernel, self.strides, self.dilation)

    def output(self, inputs):
        size = image(inputs)[:2]
        geometry = zip(size, self.kernel, self.strides, self.pads(inputs), self.dilation, strict=True)
        return TensorType((*(windows_along(*axis) for axis in geometry), self.filters))

    def parameters(self, inputs):
        channels = inputs[0].shape[-1]
        fan_in = prod(self.kernel) * channels
        weight = {"weight": Parameter((*self.kernel, channels, self.filters), he_uniform(fan_in))}
        return weight | ({"bias": Parameter((self.filters,), ZEROS)} if self.bias else {})

    def macs(self, inputs):
        return self.output(inputs).size * prod(self.kernel) * inputs[0].shape[-1]
