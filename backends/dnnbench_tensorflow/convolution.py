"""Convolutions, from kernels that TensorFlow has for every type and mode.

On the CPU its own have gaps: no gradient of dilated ones in float64, nor of ones in groups
in float64 or without oneDNN; explicit padding keeps oneDNN away.
"""

from functools import cache
from typing import NamedTuple

import tensorflow as tf
from dnnbench.spec.ops.windows import resolve_padding

from .depthwise import depthwise
from .kernels import narrow_sums, wide, xla_on_cpu


class Geometry(NamedTuple):
    """How a kernel walks over an image, as the spec names it."""

    strides: tuple
    padding: str | tuple
    dilation: tuple
    groups: int = 1


def every_axis(pads):
    """(lo, hi) of H and W as `tf.pad` wants them for (N, H, W, C)."""
    return [[0, 0], *map(list, pads), [0, 0]]


def convolve(x, weight, geometry):
    """x: (N, H, W, C)   weight: (kh, kw, C / groups, F)   returns: (N, H', W', F)"""
    if narrow_sums(x.dtype):
        return tf.cast(convolve(*_widened(x, weight), geometry), x.dtype)
    if geometry.dilation != (1, 1):
        return _dilated(x, weight, geometry)
    x, padding = _padded(x, weight, geometry)
    if geometry.groups == 1:
        return tf.nn.conv2d(x, weight, geometry.strides, padding)
    if geometry.groups == x.shape[-1]:
        return _depthwise(x, weight, geometry.strides, padding)
    return _grouped(x, weight, geometry, padding)


def form_of_groups(model, arm):
    """How the convolutions of a network that have groups are computed; None where none has."""
    ops = [node.op for node in model.nodes if node.op.kind in ("conv1d", "conv2d")]
    if all(op.groups == 1 for op in ops):
        return None
    if (arm.mode, arm.device.kind) == ("xla", "cpu"):
        return "taps multiplied and added, other groups one by one"
    return "tf.nn.depthwise_conv2d, other groups by tf.nn.conv2d"


def _widened(*tensors):
    return [tf.cast(x, wide(x.dtype)) for x in tensors]


def _padded(x, weight, geometry):
    """(image, padding by name): numbers that 'SAME' does not stand for are put on first."""
    sizes = x.shape[1:3], weight.shape[:2], geometry.strides, geometry.dilation
    pads = resolve_padding(geometry.padding, *sizes)
    if pads == resolve_padding("same", *sizes):
        return x, "SAME"
    if pads == ((0, 0), (0, 0)):
        return x, "VALID"
    return tf.pad(x, every_axis(pads)), "VALID"


def _dilated(x, weight, geometry):
    """A dilated convolution is a plain one on each of the interleaved images."""
    pads = resolve_padding(
        geometry.padding, x.shape[1:3], weight.shape[:2], geometry.strides, geometry.dilation
    )
    padded = tf.pad(x, every_axis(pads))
    rows, columns = (
        -size % d for size, d in zip(padded.shape[1:3], geometry.dilation, strict=True)
    )
    filled = [[0, rows], [0, columns]]
    apart = tf.space_to_batch(padded, geometry.dilation, filled)  # (N dh dw, H / dh, W / dw, C)
    y = convolve(apart, weight, Geometry((1, 1), "valid", (1, 1), geometry.groups))
    together = tf.batch_to_space(y, geometry.dilation, filled)  # (N, H', W', F) at stride 1
    return together[:, :: geometry.strides[0], :: geometry.strides[1]]


def _depthwise(x, weight, strides, padding):
    """A filter's place f in the spec is channel c, multiple m:
    f = c M + m, as in TensorFlow's own order.
    """
    *kernel, _, filters = weight.shape
    pads = resolve_padding(padding.lower(), x.shape[1:3], kernel, strides)
    if xla_on_cpu():
        return depthwise(x, weight, strides, pads)
    weight = tf.reshape(weight, (*kernel, x.shape[-1], filters // x.shape[-1]))
    if strides[0] == strides[1]:
        return tf.nn.depthwise_conv2d(x, weight, (1, *strides, 1), padding)
    dense = tf.nn.depthwise_conv2d(tf.pad(x, every_axis(pads)), weight, (1, 1, 1, 1), "VALID")
    return dense[:, :: strides[0], :: strides[1]]


def _grouped(x, weight, geometry, padding):
    if not xla_on_cpu() and _trains_groups(x.dtype):
        return tf.nn.conv2d(x, weight, geometry.strides, padding)
    images = tf.split(x, geometry.groups, -1)  # (N, H, W, C / groups) each
    kernels = tf.split(weight, geometry.groups, -1)
    parts = [
        tf.nn.conv2d(*pair, geometry.strides, padding) for pair in zip(images, kernels, strict=True)
    ]
    return tf.concat(parts, -1)


@cache
def _trains_groups(dtype):
    """Whether this device has gradients of convolutions in groups:
    tried once, as no call of TensorFlow's tells.
    """
    with tf.init_scope():
        x = tf.ones((1, 4, 4, 4), dtype)
        weight = tf.ones((3, 3, 2, 4), dtype)
        walk = {"strides": [1, 1, 1, 1], "padding": "SAME"}
        sizes = tf.constant(x.shape)
        try:
            tf.raw_ops.Conv2DBackpropInput(input_sizes=sizes, filter=weight, out_backprop=x, **walk)
        except tf.errors.InvalidArgumentError:
            return False
    return True


def convolve_transposed(x, weight, strides, cuts, dilation, extra):
    """x: (N, H, W, C)
    weight: (kh, kw, F, C)
    cuts: (lo, hi) per axis
    returns: (N, H', W', F)
    """
    if narrow_sums(x.dtype):
        return tf.cast(
            convolve_transposed(*_widened(x, weight), strides, cuts, dilation, extra), x.dtype
        )
    weight = _spread(weight, dilation)
    axes = zip(x.shape[1:3], weight.shape[:2], strides, extra, strict=True)
    full = [(n - 1) * s + k + more for n, k, s, more in axes]
    y = tf.nn.conv2d_transpose(x, weight, (x.shape[0], *full, weight.shape[2]), strides, "VALID")
    (top, bottom), (left, right) = cuts
    return y[:, top : full[0] - bottom, left : full[1] - right]


def _spread(weight, dilation):
    """The kernel with zeros between its taps.
    returns: ((kh - 1) dh + 1, (kw - 1) dw + 1, F, C)
    """
    if dilation == (1, 1):
        return weight
    height, width, *rest = weight.shape
    rows, columns = dilation
    between = [[0, 0], [0, rows - 1], [0, 0], [0, columns - 1], [0, 0], [0, 0]]
    apart = tf.pad(tf.reshape(weight, (height, 1, width, 1, *rest)), between)
    wide = tf.reshape(apart, (height * rows, width * columns, *rest))
    return wide[: (height - 1) * rows + 1, : (width - 1) * columns + 1]
