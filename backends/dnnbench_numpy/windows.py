"""Views of an image through sliding windows; nothing loops over pixels."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from dnnbench.spec.tensor import TensorType
from numpy.lib.stride_tricks import sliding_window_view


class Geometry(NamedTuple):
    """Where windows lie on an image, one pair an axis; `groups` of channels are read apart."""

    window: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


def types(*inputs: np.ndarray) -> list[TensorType]:
    """Types of arrays as the spec's shape rules want them."""
    return [TensorType(x.shape[1:]) for x in inputs]


def pad(x: np.ndarray, pads, value: float = 0.0) -> np.ndarray:
    """Add rows and columns of `value` around an image.      x: (N, H, W, C)"""
    if not np.any(pads):
        return x
    (top, bottom), (left, right) = pads
    n, height, width, channels = x.shape
    padded = np.full((n, height + top + bottom, width + left + right, channels), value, x.dtype)
    padded[:, top : top + height, left : left + width] = x
    return padded


def patches(x: np.ndarray, at: Geometry) -> np.ndarray:
    """Every window as a view of the padded image.
    x: (N, H, W, C)
    returns: (N, H', W', kh, kw, C)
    """
    spans = [(k - 1) * d + 1 for k, d in zip(at.window, at.dilation, strict=True)]
    view = sliding_window_view(pad(x, at.pads), spans, axis=(1, 2))  # (N, ., ., C, span, span)
    view = view[:, :: at.strides[0], :: at.strides[1], :, :: at.dilation[0], :: at.dilation[1]]
    return view.transpose(0, 1, 2, 4, 5, 3)


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
    total = None
    for share, place in zip(shares, _places(at, padded), strict=True):
        if total is None:  # the first share tells the type
            total = np.zeros((n, *padded, channels), share.dtype)
        total[place] += share
    return total[:, top : top + height, left : left + width]


def _places(at: Geometry, size: tuple[int, int]) -> Iterator[tuple[slice, ...]]:
    """Index of each tap into a padded image of this size."""
    axes = zip(size, at.window, at.strides, at.dilation, strict=True)
    rows, columns = (_places_along(*axis) for axis in axes)
    for row, column in product(rows, columns):
        yield slice(None), row, column


def _places_along(size: int, window: int, stride: int, dilation: int) -> list[slice]:
    """Index of each tap into one padded axis."""
    starts = range(0, window * dilation, dilation)
    reach = size - (window - 1) * dilation
    return [slice(start, start + reach, stride) for start in starts]
