"""Depthwise convolution as shifted multiply-adds, for XLA on a CPU:
in training a loop over the kernel's rows.

XLA fuses a sum that is written out into whatever reads it, which is best for one reader.
In training there are many, and each would add up all taps again:
a step of a tiny ConvNeXt took three times as long.
"""

import tensorflow as tf

from .kernels import learns, wide


def depthwise(x, weight, strides, pads):
    """Every channel by filters of its own.
    x: (N, H, W, C)
    weight: (kh, kw, 1, C m)
    returns: (N, H', W', C m)
    """
    multiplier = weight.shape[-1] // x.shape[-1]
    repeated = tf.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
    return _convolved(repeated, weight[:, :, 0], strides, pads)


def _convolved(x, weight, strides, pads):
    """x: (N, H, W, C)   weight: (kh, kw, C)   returns: (N, H', W', C)

    Both gradients by hand, as loops too.
    """

    @tf.custom_gradient
    def convolved(x, weight):
        padded = _edged(tf.cast(x, wide(x.dtype)), pads)
        kernel = tf.cast(weight, wide(x.dtype))

        def backward(g):
            g = tf.cast(g, kernel.dtype)
            turned = kernel[::-1, ::-1]
            gx = _summed(_spread(g, x, weight, strides, pads), turned, (1, 1))  # (N, H, W, C)
            gw = _weight_gradient(padded, g, weight.shape, strides)  # (kh, kw, C)
            return tf.cast(gx, x.dtype), tf.cast(gw, weight.dtype)

        y = _summed(padded, kernel, strides)  # (N, H', W', C)
        return tf.cast(y, x.dtype), backward

    return convolved(x, weight)


def _edged(x, edges):
    """Places put on before and after H and W; a negative number takes them off."""
    kept, added = [], []
    for size, (before, after) in zip(x.shape[1:3], edges, strict=True):
        kept.append(slice(max(-before, 0), size + min(after, 0)))
        added.append([max(before, 0), max(after, 0)])
    return tf.pad(x[:, kept[0], kept[1]], [[0, 0], *added, [0, 0]])


def _summed(x, weight, strides):
    """Sum over all taps of x, seen from there, times the tap's weight."""
    rows, columns, channels = weight.shape
    height = (x.shape[1] - rows) // strides[0] + 1
    width = (x.shape[2] - columns) // strides[1] + 1

    def row(u):
        seen = _row_seen(u, x, (height, width), strides, columns)
        taps = tf.unstack(weight[u])
        return sum(part * tap for part, tap in zip(seen, taps, strict=True))  # (N, H', W', C)

    if not learns():
        return sum(row(u) for u in range(rows))

    def more(u, y):
        return u < rows

    def add_row(u, y):
        return u + 1, y + row(u)

    nothing = tf.zeros((x.shape[0], height, width, channels), x.dtype)
    _, y = tf.while_loop(more, add_row, (0, nothing))
    return y


def _row_seen(u, x, places, strides, taps):
    """Every stride-th place of x from the taps (u, 0), (u, 1), ... on: (N, H', W', C) each."""
    (height, width), (down, right) = places, strides
    reach = (height - 1) * down + 1
    lines = tf.slice(x, (0, u, 0, 0), (x.shape[0], reach, *x.shape[2:]))
    lines = lines[:, ::down]  # (N, H', W, C)
    across = (width - 1) * right + 1
    return [lines[:, :, v : v + across : right] for v in range(taps)]


def _spread(g, x, weight, strides, pads):
    """g with zeros between and around its places, so that taps of the turned kernel meet what they
    had reached.
    """
    n, height, width, channels = g.shape
    down, right = strides
    between = [[0, 0], [0, 0], [0, down - 1], [0, 0], [0, right - 1], [0, 0]]
    apart = tf.pad(g[:, :, None, :, None], between)  # (N, H', down, W', right, C)
    apart = tf.reshape(apart, (n, height * down, width * right, channels))
    axes = zip(weight.shape, pads, x.shape[1:3], apart.shape[1:3], strict=False)
    edges = [(k - 1 - before, size - grown + before) for k, (before, _), size, grown in axes]
    return _edged(apart, edges)


def _weight_gradient(x, g, kernel, strides):
    """x: padded   returns: (kh, kw, C)"""

    def row(u):
        seen = _row_seen(u, x, g.shape[1:3], strides, kernel[1])
        return tf.stack([tf.reduce_sum(part * g, (0, 1, 2)) for part in seen])  # (kw, C)

    signature = tf.TensorSpec(kernel[1:], g.dtype)
    return tf.map_fn(row, tf.range(kernel[0]), fn_output_signature=signature)
