"""Convolution as a product over groups of channels, and its gradients, for which `conv_transpose2d`
is another name.

Weights are (kh, kw, C / groups, F). Where a filter reads one channel alone (depthwise),
a product would be mostly
copying: there the taps are shifted, multiplied and added.
"""

from functools import lru_cache
from math import prod

import numpy as np
from dnnbench.spec.tensor import TensorType

from . import products
from .once import once
from .windows import Geometry, patches, spread, taps


def along_time(op, x) -> Geometry:
    """A one-dimensional convolution as one over images one pixel high."""
    return _along_time(op, x.shape[1:])


@lru_cache(maxsize=1024)
def _along_time(op, shape):
    pads = (0, 0), op.pads([TensorType(shape)])
    return Geometry((1, op.kernel), (1, op.strides), pads, (1, op.dilation), op.groups)


@once
def one_pixel_high(x: np.ndarray) -> np.ndarray:
    """A sequence as an image.      x: (N, T, C)   returns: (N, 1, T, C)"""
    return x[:, None]


def over_images(op, x) -> Geometry:
    return _over_images(op, x.shape[1:])


@lru_cache(maxsize=1024)
def _over_images(op, shape):
    pads = op.pads([TensorType(shape)])
    return Geometry(op.kernel, op.strides, pads, op.dilation, op.groups)


def transposed(op) -> Geometry:
    """The convolution that reads what `conv_transpose2d` writes."""
    return Geometry(op.kernel, op.strides, op.pads, op.dilation)


def correlate(x: np.ndarray, weight: np.ndarray, at: Geometry) -> np.ndarray:
    """y[n,i,j,f] = sum_{u,v,c} xpad[n, i s + u d, j s + v d, c] W[u,v,c,f].
    x: (N, H, W, C)
    y: (N, H', W', F)
    """
    filters = weight.shape[-1]
    if _depthwise(weight.shape, at):
        return products.weighted_sum(taps(_repeated(x, filters), at), weight.reshape(-1, filters))
    kernels = weight.reshape(-1, filters)  # (kh kw C / G, F)
    if at.groups == 1:
        y = products.matmul(columns(x, at)[0], kernels)  # (N H' W', F)
        return y.reshape(len(x), *at.counts(x), filters)
    y = products.matmul(columns(x, at), _by_group(kernels, at.groups))  # (G, N H' W', F / G)
    return y.transpose(1, 0, 2).reshape(len(x), *at.counts(x), filters)


def image_gradient(
    g: np.ndarray, weight: np.ndarray, at: Geometry, shape: tuple[int, ...]
) -> np.ndarray:
    """dx of y = correlate(x): g times W, added up where windows overlap.
    g: (N, H', W', F)
    shape: x's
    """
    if _depthwise(weight.shape, at):
        per_tap = (products.weighted_sum([g], w) for w in weight.reshape(-1, 1, weight.shape[-1]))
        shares = (share.reshape(*g.shape[:3], shape[-1], -1).sum(axis=-1) for share in per_tap)
    else:
        rows = _by_group(g.reshape(-1, g.shape[-1]), at.groups)  # (G, N H' W', F / G)
        kernels = (_by_group(w, at.groups).swapaxes(1, 2) for w in _per_tap(weight))
        per_tap = (products.matmul(rows, kernel) for kernel in kernels)  # (G, N H' W', C / G)
        shares = (share.transpose(1, 0, 2).reshape(*g.shape[:3], shape[-1]) for share in per_tap)
    return spread(shares, at, shape)


def weight_gradient(
    g: np.ndarray, x: np.ndarray, at: Geometry, shape: tuple[int, ...]
) -> np.ndarray:
    """dW of y = correlate(x): windows^T g.
    g: (N, H', W', F)
    shape: (kh, kw, C / groups, F)
    """
    filters = shape[-1]
    if _depthwise(shape, at):
        read = taps(_repeated(x, filters), at)  # (N, H', W', F) each
        per_tap = np.stack([(tap * g).sum(axis=(0, 1, 2)) for tap in read])  # (kh kw, F)
        return products.stored(per_tap).reshape(shape)
    rows = g.reshape(-1, filters)  # (N H' W', F)
    if at.groups == 1:
        return products.matmul(columns(x, at)[0].T, rows).reshape(shape)
    windows = columns(x, at).swapaxes(1, 2)  # (G, kh kw C / G, N H' W')
    rows = _by_group(rows, at.groups)  # (G, N H' W', F / G)
    gradient = products.matmul(windows, rows)  # (G, kh kw C / G, F / G)
    return gradient.transpose(1, 0, 2).reshape(shape)


def _depthwise(shape, at) -> bool:
    return shape[2] == 1 and at.groups > 1


def _repeated(x, filters):
    """One channel for each filter."""
    times = filters // x.shape[-1]
    return x if times == 1 else np.repeat(x, times, axis=-1)


def _by_group(rows, groups):
    """(R, C) -> (G, R, C / G)"""
    return rows.reshape(len(rows), groups, -1).transpose(1, 0, 2)


def _per_tap(weight):
    """(kh, kw, C / G, F) -> (kh kw, C / G, F)"""
    return weight.reshape(-1, *weight.shape[2:])


@once
def columns(x: np.ndarray, at: Geometry) -> np.ndarray:
    """Windows as the rows of one matrix a group.
    x: (N, H, W, C)
    returns: (G, N H' W', kh kw C / G)
    """
    windows = patches(x, at)  # (N, H', W', kh, kw, C)
    *places, channels = windows.shape
    by_group = windows.reshape(*places, at.groups, channels // at.groups)
    return by_group.transpose(5, 0, 1, 2, 3, 4, 6).reshape(at.groups, prod(places[:3]), -1)
