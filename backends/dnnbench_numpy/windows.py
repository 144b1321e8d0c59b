"""Views of an image through sliding windows; nothing loops over pixels."""

from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def pad(x: np.ndarray, pads, value: float = 0.0) -> np.ndarray:
    """Add rows and columns of `value` around an image.      x: (N, H, W, C)"""
    if not np.any(pads):
        return x
    (top, bottom), (left, right) = pads
    n, height, width, channels = x.shape
    padded = np.full((n, height + top + bottom, width + left + right, channels), value, x.dtype)
    padded[:, top : top + height, left : left + width] = x
    return padded


def unpad(x: np.ndarray, pads) -> np.ndarray:
    """The image inside its padding."""
    (top, bottom), (left, right) = pads
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]


def patches(x: np.ndarray, window, strides, dilation=(1, 1)) -> np.ndarray:
    """Every window as a view.      x: (N, H, W, C)   returns: (N, H', W', kh, kw, C)"""
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    view = sliding_window_view(x, spans, axis=(1, 2))[:, :: strides[0], :: strides[1]]  # (N, H', W', C, span, span)
    return view[..., :: dilation[0], :: dilation[1]].transpose(0, 1, 2, 4, 5, 3)


def taps(x: np.ndarray, window, strides, out, dilation=(1, 1)) -> list[np.ndarray]:
    """For each place in the window, in row order, the elements that all windows have there: views of shape (N, H', W', C)."""
    return [x[place] for place in places(window, strides, out, dilation)]


def places(window, strides, out, dilation=(1, 1)):
    """Index of each tap into the padded image; `out` is (H', W')."""
    for u, v in product(*map(range, window)):
        yield (
            slice(None),
            slice(u * dilation[0], u * dilation[0] + (out[0] - 1) * strides[0] + 1, strides[0]),
            slice(v * dilation[1], v * dilation[1] + (out[1] - 1) * strides[1] + 1, strides[1]),
        )
