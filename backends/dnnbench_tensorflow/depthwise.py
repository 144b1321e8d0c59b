"""Depthwise convolution as shifted multiply-adds, which XLA fuses into one loop on a CPU."""

from itertools import product

import tensorflow as tf

from .kernels import wide


def depthwise(x, weight, strides, pads):
    """Every channel by filters of its own.      x: (N, H, W, C)   weight: (kh, kw, 1, C m)   returns: (N, H', W', C m)"""
    multiplier = weight.shape[-1] // x.shape[-1]
    repeated = tf.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
    return _convolved(repeated, weight[:, :, 0], strides, pads)


def _convolved(x, weight, strides, pads):
    """x: (N, H, W, C)   weight: (kh, kw, C)   returns: (N, H', W', C)

    Both gradients by hand: those of nine slices, one after the other, take XLA twice the memory and time to compile.
    """

    @tf.custom_gradient
    def convolved(x, weight):
        padded, kernel = _edged(tf.cast(x, wide(x.dtype)), pads), tf.cast(weight, wide(x.dtype))

        def backward(g):
            g = tf.cast(g, kernel.dtype)
            gx = _summed(_spread(g, x, weight, strides, pads), kernel[::-1, ::-1], (1, 1))
            gw = _weight_gradient(padded, g, weight.shape, strides)
            return tf.cast(gx, x.dtype), tf.cast(gw, weight.dtype)

        return tf.cast(_summed(padded, kernel, strides), x.dtype), backward

    return convolved(x, weight)


def _edged(x, edges):
    """Places put on before and after H and W; a negative number takes them off."""
    sizes = zip(x.shape[1:3], edges, strict=True)
    rows, columns = (slice(max(-before, 0), size + min(after, 0)) for size, (before, after) in sizes)
    grown = [[max(before, 0), max(after, 0)] for before, after in edges]
    return tf.pad(x[:, rows, columns], [[0, 0], *grown, [0, 0]])


def _summed(x, weight, strides):
    """Sum over all taps of x, seen from there, times the tap's weight."""
    places = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:3], weight.shape, strides, strict=False)]
    return sum(_seen_from(tap, x, places, strides) * weight[tap] for tap in _taps(weight.shape))


def _taps(kernel):
    return product(range(kernel[0]), range(kernel[1]))


def _seen_from(tap, x, places, strides):
    """Every stride-th place of x from `tap` on."""
    axes = zip(tap, places, strides, strict=True)
    rows, columns = (slice(first, first + (n - 1) * s + 1, s) for first, n, s in axes)
    return x[:, rows, columns]


def _spread(g, x, weight, strides, pads):
    """g with zeros between and around its places, so that taps of the turned kernel meet what they had reached."""
    (n, height, width, channels), (down, right) = g.shape, strides
    apart = tf.pad(g[:, :, None, :, None], [[0, 0], [0, 0], [0, down - 1], [0, 0], [0, right - 1], [0, 0]])
    apart = tf.reshape(apart, (n, height * down, width * right, channels))
    axes = zip(weight.shape, pads, x.shape[1:3], apart.shape[1:3], strict=False)
    return _edged(apart, [(k - 1 - before, size - grown + before) for k, (before, _), size, grown in axes])


def _weight_gradient(x, g, kernel, strides):
    """x: padded   returns: (kh, kw, C)"""
    seen = (_seen_from(tap, x, g.shape[1:3], strides) for tap in _taps(kernel))
    return tf.reshape(tf.stack([tf.reduce_sum(part * g, (0, 1, 2)) for part in seen]), kernel)
