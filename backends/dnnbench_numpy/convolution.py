"""Convolution as a product over groups of channels, and its gradients, for which `conv_transpose2d`
is another name.

Weights are (kh, kw, C / groups, F). Where a filter reads one channel alone (depthwise),
a product would be mostly
copying: there the taps are shifted, multiplied and added.
"""

from math import prod

import numpy as np

from . import products
from .windows import Geometry, patches, spread, taps, types


def along_time(op, x) -> Geometry:
    """A one-dimensional convolution as one over images one pixel high."""
    return Geometry(
        (1, op.kernel), (1, op.strides), ((0, 0), op.pads(types(x))), (1, op.dilation), op.groups
    )


def over_images(op, x) -> Geometry:
    return Geometry(op.kernel, op.strides, op.pads(types(x)), op.dilation, op.groups)


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
    windows = patches(x, at)  # (N, H', W', kh, kw, C)
    kernels = _by_group(weight.reshape(-1, filters), at.groups)  # (G, kh kw C / G, F / G)
    y = products.matmul(_columns(windows, at.groups), kernels)  # (G, N H' W', F / G)
    return y.transpose(1, 0, 2).reshape(*windows.shape[:3], filters)


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
    columns = _columns(patches(x, at), at.groups)  # (G, N H' W', kh kw C / G)
    rows = _by_group(g.reshape(-1, filters), at.groups)  # (G, N H' W', F / G)
    gradient = products.matmul(columns.swapaxes(1, 2), rows)  # (G, kh kw C / G, F / G)
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


def _columns(windows, groups):
    """Windows as the rows of one matrix a group.
    (N, H', W', kh, kw, C) -> (G, N H' W', kh kw C / G)
    """
    *places, channels = windows.shape
    by_group = np.moveaxis(windows.reshape(*places, groups, channels // groups), 5, 0)
    return by_group.reshape(groups, prod(places[:3]), -1)
