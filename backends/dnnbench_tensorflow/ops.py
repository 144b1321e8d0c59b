"""The value of each op, as its docstring in `dnnbench.spec.ops` defines it."""

import numpy as np
import tensorflow as tf
from dnnbench.spec.tensor import TensorType


def types(*inputs):
    """Types of tensors as the spec's shape rules want them."""
    return [TensorType(tuple(x.shape[1:])) for x in inputs]


def dense(op, x, weight, bias=None):
    y = tf.matmul(x, weight) if len(x.shape) == 2 else tf.tensordot(x, weight, 1)
    return y if bias is None else tf.nn.bias_add(y, bias)


def conv2d(op, x, weight, bias=None):
    y = (_plain if op.dilation == (1, 1) else _dilated)(op, x, weight)
    return y if bias is None else tf.nn.bias_add(y, bias)


def _plain(op, x, weight):
    """TensorFlow's 'SAME' is the spec's; numbers go in as they are."""
    padding = op.padding.upper() if isinstance(op.padding, str) else _every_axis(op.padding)
    return tf.nn.conv2d(x, weight, op.strides, padding)


def _every_axis(pads):
    return [[0, 0], *map(list, pads), [0, 0]]


def _dilated(op, x, weight):
    """A dilated convolution is a plain one on each of the interleaved images.

    TensorFlow's own has no float64 gradient on the CPU.
    """
    padded = tf.pad(x, _every_axis(op.pads(types(x))))  # (N, H, W, C)
    rows, columns = (-size % d for size, d in zip(padded.shape[1:3], op.dilation, strict=True))
    apart = tf.space_to_batch(padded, op.dilation, [[0, rows], [0, columns]])
    y = tf.nn.conv2d(apart, weight, 1, "VALID")
    together = tf.batch_to_space(y, op.dilation, [[0, rows], [0, columns]])
    return together[:, :: op.strides[0], :: op.strides[1]]


def max_pool2d(op, x):
    """Explicit padding is put on first: XLA has no pool that pads by numbers."""
    if isinstance(op.padding, str):
        return tf.nn.max_pool2d(x, op.window, op.steps, op.padding.upper())
    padded = tf.pad(x, _every_axis(op.padding), constant_values=tf.constant(-np.inf, x.dtype))
    return tf.nn.max_pool2d(padded, op.window, op.steps, "VALID")


def avg_pool2d(op, x):
    """TensorFlow's own divisor leaves padding out, and it pads by name only."""
    if op.padding == "valid" or (op.padding == "same" and not op.count_include_pad):
        return tf.nn.avg_pool2d(x, op.window, op.steps, op.padding.upper())
    y = tf.nn.avg_pool2d(tf.pad(x, _every_axis(op.pads(types(x)))), op.window, op.steps, "VALID")
    return y if op.count_include_pad else y * tf.constant(np.prod(op.window) / _window_counts(op, x), x.dtype)


def _window_counts(op, x):
    """Elements of the image in each window.      returns: (H', W', 1)"""
    axes = zip(x.shape[1:3], op.pads(types(x)), op.window, op.steps, op.output(types(x)).shape, strict=False)
    rows, columns = (_counts_along(*axis) for axis in axes)
    return np.outer(rows, columns)[..., None]


def _counts_along(size, pads, window, stride, windows):
    first = np.arange(windows) * stride - pads[0]
    return np.minimum(first + window, size) - np.maximum(first, 0)


def global_avg_pool(op, x):
    return tf.reduce_mean(x, axis=(1, 2))


def flatten(op, x):
    return tf.reshape(x, (x.shape[0], -1))


def relu(op, x):
    return tf.nn.relu(x)


def sigmoid(op, x):
    return tf.sigmoid(x)


def tanh(op, x):
    return tf.tanh(x)


def softmax(op, x):
    return tf.nn.softmax(x)


def add(op, *inputs):
    return sum(inputs[1:], inputs[0])


def dropout(op, x, mask, generator):
    if mask is None:
        mask = tf.cast(generator.uniform(x.shape) >= op.rate, x.dtype)
    return x * mask / (1 - op.rate)


def batch_norm(op, x, scale, bias, mean, variance):
    return (x - mean) * (scale * tf.math.rsqrt(variance + op.epsilon)) + bias


def batch_norm_training(op, x, scale, bias, mean, variance):
    """In two passes: TensorFlow's fused kernel takes one, in float32 only, and loses accuracy."""
    axes = tuple(range(len(x.shape) - 1))
    batch_mean = tf.reduce_mean(x, axes)
    batch_variance = tf.reduce_mean(tf.math.squared_difference(x, tf.stop_gradient(batch_mean)), axes)
    running = {
        "mean": op.momentum * mean + (1 - op.momentum) * batch_mean,
        "variance": op.momentum * variance + (1 - op.momentum) * batch_variance,
    }
    return batch_norm(op, x, scale, bias, batch_mean, batch_variance), running
