"""Pools: the spatial axes shrink, the channels stay."""

from math import prod
from typing import ClassVar, Literal

from ..tensor import TensorType
from .base import Arithmetic, Op, Types, image
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

    def pads(self, inputs: Types) -> Pads:
        """Elements added before and after each spatial axis."""
        rows, columns = resolve_padding(self.padding, inputs[0].shape[:2], self.window, self.steps)
        return rows, columns

    def output(self, inputs: Types) -> TensorType:
        height, width, channels = image(inputs)
        pads = self.pads(inputs)
        if any(max(p) >= k for p, k in zip(pads, self.window, strict=True)):
            raise ValueError(
                f"padding {pads} as wide as the window {self.window} makes windows of padding "
                "alone; pad less"
            )
        geometry = zip((height, width), self.window, self.steps, pads, strict=True)
        return TensorType((*(windows_along(*axis) for axis in geometry), channels))

    def elementwise_flops(self, inputs: Types) -> int:
        return self.output(inputs).size * prod(self.window)


class MaxPool2d(WindowPool):
    """Largest element of each window; a tie sends its gradient to the first element.

    Padding counts as -inf.
    y[n,i,j,c] = max_{u,v} xpad[n, i s_h + u, j s_w + v, c]      x: (N, H, W, C)   y: (N, H', W', C)
    """

    kind: Literal["max_pool2d"] = "max_pool2d"
    formula: ClassVar[str] = "y = max over windows of x"


class AvgPool2d(WindowPool):
    """Mean of each window; the divisor leaves padding out unless `count_include_pad`.

    y[n,i,j,c] = sum_{u,v} xpad[n, i s_h + u, j s_w + v, c] / count
    x: (N, H, W, C)   y: (N, H', W', C)
    """

    kind: Literal["avg_pool2d"] = "avg_pool2d"
    count_include_pad: bool = False
    arithmetic: ClassVar[Arithmetic] = "wide"
    formula: ClassVar[str] = "y = mean over windows of x"


class GlobalAvgPool(Op):
    """Mean over the whole image.

    y[n,c] = sum_{i,j} x[n,i,j,c] / (H W)      x: (N, H, W, C)   y: (N, C)
    Source: Lin et al. 2013, arXiv 1312.4400.
    """

    kind: Literal["global_avg_pool"] = "global_avg_pool"
    arithmetic: ClassVar[Arithmetic] = "wide"
    formula: ClassVar[str] = "y = mean over H, W of x"

    def output(self, inputs: Types) -> TensorType:
        return TensorType((image(inputs)[2],))

    def elementwise_flops(self, inputs: Types) -> int:
        return inputs[0].size


class GlobalMaxPool(Op):
    """Largest element of the whole image; a tie sends its gradient to the first.

    y[n,c] = max_{i,j} x[n,i,j,c]      x: (N, H, W, C)   y: (N, C)
    """

    kind: Literal["global_max_pool"] = "global_max_pool"
    formula: ClassVar[str] = "y = max over H, W of x"

    def output(self, inputs: Types) -> TensorType:
        return TensorType((image(inputs)[2],))

    def elementwise_flops(self, inputs: Types) -> int:
        return inputs[0].size


class AdaptiveAvgPool2d(Op):
    """Mean over windows that share out the image evenly, whatever its size.

    Along an axis of n places, window i of `size` covers
    [floor(i n / size), ceil((i + 1) n / size)).
    x: (N, H, W, C)   y: (N, size_h, size_w, C)   Source: PyTorch's AdaptiveAvgPool2d.
    """

    kind: Literal["adaptive_avg_pool2d"] = "adaptive_avg_pool2d"
    size: Pair
    arithmetic: ClassVar[Arithmetic] = "wide"
    formula: ClassVar[str] = "y = mean over windows of x"

    def output(self, inputs: Types) -> TensorType:
        return TensorType((*self.size, image(inputs)[2]))

    def windows(self, inputs: Types) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """(start, stop) of every window along H and along W."""
        rows, columns, _ = image(inputs)
        return _shared_out(rows, self.size[0]), _shared_out(columns, self.size[1])

    def elementwise_flops(self, inputs: Types) -> int:
        rows, columns = map(_elements_read, self.windows(inputs))
        return rows * columns * inputs[0].shape[2]


def _elements_read(windows: list[tuple[int, int]]) -> int:
    """Along one axis, those of overlapping windows each time."""
    return sum(stop - start for start, stop in windows)


def _shared_out(places: int, windows: int) -> list[tuple[int, int]]:
    """(start, stop) of so many windows that share out an axis evenly."""
    return [(i * places // windows, -(-(i + 1) * places // windows)) for i in range(windows)]
