"""Depthwise convolution as shifted multiply-adds, for XLA on a CPU: in training a loop over the kernel's rows.

XLA fuses a sum that is written out into whatever reads it, which is best for one reader. In training there are many, and
each would add up all taps again: a step of a tiny ConvNeXt took three times as long.
"""

import tensorflow as tf

from .kernels import learns, wide


def depthwise(x, weight, strides, pads):
    """Every channel by filters of its own.      x: (N, H, W, C)   weight: (kh, kw, 1, C m)   returns: (N, H', W', C m)"""
    multiplier = weight.shape[-1] // x.shape[-1]
    repeated = tf.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
    return _convolved(repeated, weight[:, :, 0], strides, pads)


def _convolved(x, weight, strides, pads):
    """x: (N, H, W, C)   weight: (kh, kw, C)   returns: (N, H', W', C)

    Both gradients by hand, as loops too.
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
    height, width = ((n - k) // s + 1 for n, k, s in zip(x.shape[1:3], weight.shape, strides, strict=False))

    def row(u):
        taps = zip(_row_seen(u, x, (height, width), strides, weight.shape[1]), tf.unstack(weight[u]), strict=True)
        return sum(seen * tap for seen, tap in taps)

    if not learns():
        return sum(row(u) for u in range(weight.shape[0]))
    nothing = tf.zeros((x.shape[0], height, width, x.shape[-1]), x.dtype)
    return tf.while_loop(lambda u, _: u < weight.shape[0], lambda u, y: (u + 1, y + row(u)), (0, nothing))[1]


def _row_seen(u, x, places, strides, taps):
    """Every stride-th place of x from the taps (u, 0), (u, 1), ... on."""
    (height, width), (down, right) = places, strides
    lines = tf.slice(x, (0, u, 0, 0), (x.shape[0], (height - 1) * down + 1, *x.shape[2:]))[:, ::down]
    return [lines[:, :, v : v + (width - 1) * right + 1 : right] for v in range(taps)]


def _spread(g, x, weight, strides, pads):
    """g with zeros between and around its places, so that taps of the turned kernel meet what they had reached."""
    (n, height, width, channels), (down, right) = g.shape, strides
    apart = tf.pad(g[:, :, None, :, None], [[0, 0], [0, 0], [0, down - 1], [0, 0], [0, right - 1], [0, 0]])
    apart = tf.reshape(apart, (n, height * down, width * right, channels))
    axes = zip(weight.shape, pads, x.shape[1:3], apart.shape[1:3], strict=False)
    return _edged(apart, [(k - 1 - before, size - grown + before) for k, (before, _), size, grown in axes])


def _weight_gradient(x, g, kernel, strides):
    """x: padded   returns: (kh, kw, C)"""

    def row(u):
        seen = _row_seen(u, x, g.shape[1:3], strides, kernel[1])
        return tf.stack([tf.reduce_sum(part * g, (0, 1, 2)) for part in seen])

    return tf.map_fn(row, tf.range(kernel[0]), fn_output_signature=tf.TensorSpec(kernel[1:], g.dtype))
