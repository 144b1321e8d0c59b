"""Convolutions."""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveInt

from ..tensor import ZEROS, Parameter, TensorType, he_uniform
from .base import Arithmetic, Op, Types, image, sequence
from .windows import Ends, Padding, Pads, Pair, all_round, both, resolve_padding, windows_along

SequencePadding = Annotated[
    Literal["same", "valid"] | Ends,
    BeforeValidator(both, json_schema_input_type=Literal["same", "valid"] | NonNegativeInt | Ends),
    Field(description="'same', 'valid', a number, or [before, after]"),
]
Cuts = Annotated[
    Literal["valid"] | Pads,
    BeforeValidator(all_round, json_schema_input_type=Literal["valid"] | NonNegativeInt | Pads),
    Field(description="'valid', a number, or [[top, bottom], [left, right]]"),
]
Extra = Annotated[Ends, BeforeValidator(both, json_schema_input_type=NonNegativeInt | Ends)]


def _grouped(groups: int, channels: int, filters: int) -> int:
    """Channels that one filter reads."""
    if channels % groups or filters % groups:
        raise ValueError(
            f"groups={groups} do not divide both the {channels} channels read and filters={filters}"
        )
    return channels // groups


class Conv1d(Op):
    """One-dimensional cross-correlation over a sequence.

    Filters in `groups` blocks read as many blocks of channels.
    y[n,i,f] = b[f] + sum_{u,c} xpad[n, i s + u d, c] W[u,c,f], c over the channels of f's group
    x: (N, T, C)   W: (k, C / groups, filters)   b: (filters,)   y: (N, T', filters)
    T' = (T + lo + hi - (k - 1) d - 1) // s + 1. Padding is with zeros.
    """

    kind: Literal["conv1d"] = "conv1d"
    filters: PositiveInt
    kernel: PositiveInt
    strides: PositiveInt = 1
    padding: SequencePadding = "same"
    dilation: PositiveInt = 1
    groups: PositiveInt = 1
    bias: bool = True
    arithmetic: ClassVar[Arithmetic] = "product"
    formula: ClassVar[str] = "y = x * W + b"

    def pads(self, inputs: Types) -> Ends:
        """Zeros added before and after the sequence."""
        padding = self.padding if isinstance(self.padding, str) else (self.padding,)
        size, window = inputs[0].shape[:1], (self.kernel,)
        return resolve_padding(padding, size, window, (self.strides,), (self.dilation,))[0]

    def output(self, inputs: Types) -> TensorType:
        length, channels = sequence(inputs)
        _grouped(self.groups, channels, self.filters)
        return TensorType(
            (
                windows_along(length, self.kernel, self.strides, self.pads(inputs), self.dilation),
                self.filters,
            )
        )

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        channels = _grouped(self.groups, inputs[0].shape[-1], self.filters)
        weight = {
            "weight": Parameter(
                (self.kernel, channels, self.filters), he_uniform(self.kernel * channels)
            )
        }
        return weight | ({"bias": Parameter((self.filters,), ZEROS)} if self.bias else {})

    def macs(self, inputs: Types) -> int:
        return self.output(inputs).size * self.kernel * inputs[0].shape[-1] // self.groups


class Conv2d(Op):
    """Two-dimensional cross-correlation.

    Filters in `groups` blocks read as many blocks of channels.
    y[n,i,j,f] = b[f] + sum_{u,v,c} xpad[n, i s_h + u d_h, j s_w + v d_w, c] W[u,v,c,f],
    c over the channels of f's group
    x: (N, H, W, C)   W: (kh, kw, C / groups, filters)   b: (filters,)   y: (N, H', W', filters)
    H' = (H + lo + hi - (kh - 1) d_h - 1) // s_h + 1. Padding is with zeros. Depthwise: groups = C.
    Source: Dumoulin & Visin 2016, arXiv 1603.07285.
    """

    kind: Literal["conv2d"] = "conv2d"
    filters: PositiveInt
    kernel: Pair
    strides: Pair = (1, 1)
    padding: Padding = "same"
    dilation: Pair = (1, 1)
    groups: PositiveInt = 1
    bias: bool = True
    arithmetic: ClassVar[Arithmetic] = "product"
    formula: ClassVar[str] = "y = x * W + b"

    def pads(self, inputs: Types) -> Pads:
        """Zeros added before and after each spatial axis."""
        rows, columns = resolve_padding(
            self.padding, inputs[0].shape[:2], self.kernel, self.strides, self.dilation
        )
        return rows, columns

    def output(self, inputs: Types) -> TensorType:
        *size, channels = image(inputs)
        _grouped(self.groups, channels, self.filters)
        geometry = zip(
            size, self.kernel, self.strides, self.pads(inputs), self.dilation, strict=True
        )
        return TensorType((*(windows_along(*axis) for axis in geometry), self.filters))

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        channels = _grouped(self.groups, inputs[0].shape[-1], self.filters)
        fan_in = prod(self.kernel) * channels
        weight = {"weight": Parameter((*self.kernel, channels, self.filters), he_uniform(fan_in))}
        return weight | ({"bias": Parameter((self.filters,), ZEROS)} if self.bias else {})

    def macs(self, inputs: Types) -> int:
        return self.output(inputs).size * prod(self.kernel) * inputs[0].shape[-1] // self.groups


class ConvTranspose2d(Op):
    """The gradient of a convolution with respect to its input: images grow by the strides.

    y = b, then y[n, i s_h + u - lo_h, j s_w + v - lo_w, f] += sum_c x[n,i,j,c] W[u,v,f,c]
    where that place exists
    x: (N, H, W, C)   W: (kh, kw, filters, C)   b: (filters,)   y: (N, H', W', filters)
    H' = (H - 1) s_h - lo - hi + (kh - 1) d_h + 1 + output_padding (taps stand d apart).
    Source: Dumoulin & Visin 2016, arXiv 1603.07285, section 4.
    """

    kind: Literal["conv_transpose2d"] = "conv_transpose2d"
    filters: PositiveInt
    kernel: Pair
    strides: Pair = (1, 1)
    padding: Cuts = "valid"
    dilation: Pair = (1, 1)
    output_padding: Extra = (0, 0)
    bias: bool = True
    arithmetic: ClassVar[Arithmetic] = "product"
    formula: ClassVar[str] = "y = x *^T W + b"

    @property
    def pads(self) -> Pads:
        """Places cut off before and after each spatial axis of the result."""
        return ((0, 0), (0, 0)) if self.padding == "valid" else self.padding

    def output(self, inputs: Types) -> TensorType:
        size = image(inputs)[:2]
        for extra, stride in zip(self.output_padding, self.strides, strict=True):
            if extra >= stride:
                raise ValueError(
                    f"output_padding={list(self.output_padding)} must be below "
                    f"strides={list(self.strides)}"
                )
        axes = zip(
            size,
            self.kernel,
            self.strides,
            self.pads,
            self.dilation,
            self.output_padding,
            strict=True,
        )
        grown = [
            (n - 1) * s - sum(pads) + (k - 1) * d + 1 + extra for n, k, s, pads, d, extra in axes
        ]
        if min(grown) < 1:
            raise ValueError(f"padding {self.pads} leaves nothing of the image; pad less")
        return TensorType((*grown, self.filters))

    def parameters(self, inputs: Types) -> dict[str, Parameter]:
        channels = inputs[0].shape[-1]
        weight = {"weight": Parameter((*self.kernel, self.filters, channels), he_uniform(channels))}
        return weight | ({"bias": Parameter((self.filters,), ZEROS)} if self.bias else {})

    def macs(self, inputs: Types) -> int:
        return inputs[0].size * prod(self.kernel) * self.filters
