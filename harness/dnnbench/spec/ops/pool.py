"""Pools: the spatial axes shrink, the channels stay."""

from math import prod
from typing import ClassVar, Literal

from ..tensor import TensorType
from .base import Op, image
from .windows import Padding, Pads, Pair, resolve_padding, windows_along


class WindowPool(Op):
    """Geometry of a pool over windows; strides default to the window."""

    window: Pair
    strides: Pair | None = None
    padding: Padding = "valid"

    @property
    def steps(self) -> Pair:
        """The strides in force."""
        return self.strides or self.window

    def pads(self, inputs) -> Pads:
        """Elements added before and after each spatial axis."""
        return resolve_padding(self.padding, inputs[0].shape[:2], self.window, self.steps)

    def output(self, inputs):
        height, width, channels = image(inputs)
        pads = self.pads(inputs)
        if any(max(p) >= k for p, k in zip(pads, self.window, strict=True)):
            raise ValueError(
                f"padding {pads} as wide as the window {self.window} makes windows of padding alone; pad less"
            )
        geometry = zip((height, width), self.window, self.steps, pads, strict=True)
        return TensorType((*(windows_along(*axis) for axis in geometry), channels))

    def elementwise_flops(self, inputs):
        return self.output(inputs).size * prod(self.window)


class MaxPool2d(WindowPool):
    """Largest element of each window; padding counts as -inf; a tie sends its gradient to the first element.

    y[n,i,j,c] = max_{u,v} xpad[n, i s_h + u, j s_w + v, c]      x: (N, H, W, C)   y: (N, H', W', C)
    """

    kind: Literal["max_pool2d"] = "max_pool2d"
    formula: ClassVar[str] = "y = max over windows of x"


class AvgPool2d(WindowPool):
    """Mean of each window; the divisor leaves padding out unless `count_include_pad`.

    y[n,i,j,c] = sum_{u,v} xpad[n, i s_h + u, j s_w + v, c] / count      x: (N, H, W, C)   y: (N, H', W', C)
    """

    kind: Literal["avg_pool2d"] = "avg_pool2d"
    count_include_pad: bool = False
    formula: ClassVar[str] = "y = mean over windows of x"


class GlobalAvgPool(Op):
    """Mean over the whole image.

    y[n,c] = sum_{i,j} x[n,i,j,c] / (H W)      x: (N, H, W, C)   y: (N, C)
    Source: Lin et al. 2013, arXiv 1312.4400.
    """

    kind: Literal["global_avg_pool"] = "global_avg_pool"
    formula: ClassVar[str] = "y = mean over H, W of x"

    def output(self, inputs):
        return TensorType((image(inputs)[2],))

    def elementwise_flops(self, inputs):
        return inputs[0].size
