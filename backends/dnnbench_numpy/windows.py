"""Views of an image through sliding windows; nothing loops over pixels."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from dnnbench.spec.tensor import TensorType
from numpy.lib.stride_tricks import as_strided


class Geometry(NamedTuple):
    """Where windows lie on an image, one pair an axis; `groups` of channels are read apart."""

    window: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def counts(self, x: np.ndarray) -> tuple[int, int]:
        """Windows along each axis of an image.      x: (N, H, W, C)   returns: (H', W')"""
        return _counts(self, x.shape[1:3])

    def tiles(self, size: tuple[int, int]) -> bool:
        """Whether windows cover an image of this size, each element once."""
        whole = all(n % k == 0 for n, k in zip(size, self.window, strict=True))
        return whole and self == Geometry(self.window, self.window, ((0, 0), (0, 0)))


@lru_cache(maxsize=1024)
def _counts(at: Geometry, size: tuple[int, int]) -> tuple[int, int]:
    def count(axis: int) -> int:
        span = (at.window[axis] - 1) * at.dilation[axis] + 1
        return (size[axis] + sum(at.pads[axis]) - span) // at.strides[axis] + 1

    return count(0), count(1)


def types(*inputs: np.ndarray) -> list[TensorType]:
    """Types of arrays as the spec's shape rules want them."""
    return [TensorType(x.shape[1:]) for x in inputs]


def pad(x: np.ndarray, pads, value: float = 0.0) -> np.ndarray:
    """Add rows and columns of `value` around an image.      x: (N, H, W, C)"""
    (top, bottom), (left, right) = pads
    if not (top or bottom or left or right):
        return x
    n, height, width, channels = x.shape
    shape = (n, height + top + bottom, width + left + right, channels)
    padded = np.full(shape, value, x.dtype) if value else np.zeros(shape, x.dtype)
    padded[:, top : top + height, left : left + width] = x
    return padded


def patches(x: np.ndarray, at: Geometry) -> np.ndarray:
    """Every window as a view of the padded image.

    p[n,i,j,u,v,c] = xpad[n, i s + u d, j s + v d, c]
    x: (N, H, W, C)
    returns: (N, H', W', kh, kw, C)
    """
    padded = pad(x, at.pads)
    image, row, column, channel = padded.strides
    down, right = at.strides
    lower, farther = at.dilation
    shape = (len(x), *at.counts(x), *at.window, x.shape[-1])
    steps = (image, down * row, right * column, lower * row, farther * column, channel)
    return as_strided(padded, shape, steps, writeable=False)


def taps(x: np.ndarray, at: Geometry, value: float = 0.0) -> list[np.ndarray]:
    """For each place in the window, in row order, the elements that all windows have there:
    views of shape (N, H', W', C).

    Padding counts as `value`.
    """
    padded = pad(x, at.pads, value)
    return [padded[place] for place in _places(at, padded.shape[1:3])]


def spread(shares: Iterable[np.ndarray], at: Geometry, shape: tuple[int, ...]) -> np.ndarray:
    """The adjoint of `taps`: each tap's share added to the elements of the image that it
    was read from.

    shares: (N, H', W', C) for each place in the window   shape: (N, H, W, C), the image's
    """
    (top, bottom), (left, right) = at.pads
    n, height, width, channels = shape
    padded = (height + top + bottom, width + left + right)
    total, once_each = None, at.tiles(padded)
    for share, place in zip(shares, _places(at, padded), strict=True):
        if total is None:  # the first share tells the type
            make = np.empty if once_each else np.zeros
            total = make((n, *padded, channels), share.dtype)
        if once_each:
            total[place] = share
        else:
            total[place] += share
    return total[:, top : top + height, left : left + width]


@lru_cache(maxsize=1024)
def _places(at: Geometry, size: tuple[int, int]) -> list[tuple[slice, ...]]:
    """Index of each tap into a padded image of this size."""
    axes = zip(size, at.window, at.strides, at.dilation, strict=True)
    rows, columns = (_places_along(*axis) for axis in axes)
    return [(slice(None), row, column) for row, column in product(rows, columns)]


def _places_along(size: int, window: int, stride: int, dilation: int) -> list[slice]:
    """Index of each tap into one padded axis."""
    starts = range(0, window * dilation, dilation)
    reach = size - (window - 1) * dilation
    return [slice(start, start + reach, stride) for start in starts]
