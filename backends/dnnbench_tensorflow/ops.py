"""The value of each op, as its docstring in `dnnbench.spec.ops` defines it."""

from functools import partial
from math import prod

import numpy as np
import tensorflow as tf
from dnnbench.spec.tensor import TensorType

from .attention import attend
from .convolution import Geometry, convolve, convolve_transposed, every_axis
from .kernels import narrow_sums, wide
from .recurrent import scan, sequence_or_last, start


def types(*inputs):
    """Types of tensors as the spec's shape rules want them."""
    return [TensorType(tuple(x.shape[1:])) for x in inputs]


def _biased(y, bias):
    """BiasAdd's gradient adds bfloat16 up in bfloat16, which loses all but the first few
    hundred terms.
    """
    if bias is None:
        return y
    return y + bias if y.dtype == tf.bfloat16 else tf.nn.bias_add(y, bias)


def _stretched(x, shape):
    """x as arithmetic stretches it, with a gradient summed in float32 where
    TensorFlow would not.
    """
    if x.shape == shape or not narrow_sums(x.dtype):
        return x
    stretched = tf.broadcast_to(tf.cast(x, wide(x.dtype)), shape)
    return tf.cast(stretched, x.dtype)


def _batch_axis(axis, x):
    """An axis of one example as one of the batched tensor."""
    return axis % (len(x.shape) - 1) + 1


def dense(op, x, weight, bias=None):
    rows = x if len(x.shape) == 2 else tf.reshape(x, (-1, x.shape[-1]))
    y = _biased(tf.matmul(rows, weight, transpose_b=op.transposed), bias)
    return y if len(x.shape) == 2 else tf.reshape(y, (*x.shape[:-1], op.units))


def matmul(op, a, b):
    return tf.matmul(a, b, transpose_b=op.transpose_b)


def conv1d(op, x, weight, bias=None):
    """An image of height 1."""
    padding = op.padding if isinstance(op.padding, str) else ((0, 0), op.padding)
    geometry = Geometry((1, op.strides), padding, (1, op.dilation), op.groups)
    y = convolve(x[:, None], weight[None], geometry)  # (N, 1, T', F)
    return tf.squeeze(_biased(y, bias), 1)


def conv2d(op, x, weight, bias=None):
    geometry = Geometry(op.strides, op.padding, op.dilation, op.groups)
    y = convolve(x, weight, geometry)  # (N, H', W', F)
    return _biased(y, bias)


def conv_transpose2d(op, x, weight, bias=None):
    y = convolve_transposed(x, weight, op.strides, op.pads, op.dilation, op.output_padding)
    return _biased(y, bias)


def max_pool2d(op, x):
    """Explicit padding is put on first: XLA has no pool that pads by numbers."""
    if isinstance(op.padding, str):
        return tf.nn.max_pool2d(x, op.window, op.steps, op.padding.upper())
    padded = tf.pad(x, every_axis(op.padding), constant_values=tf.constant(-np.inf, x.dtype))
    return tf.nn.max_pool2d(padded, op.window, op.steps, "VALID")


def avg_pool2d(op, x):
    """TensorFlow's own divisor leaves padding out, and it pads by name only."""
    if op.padding == "valid" or (op.padding == "same" and not op.count_include_pad):
        return tf.nn.avg_pool2d(x, op.window, op.steps, op.padding.upper())
    padded = tf.pad(x, every_axis(op.pads(types(x))))
    y = tf.nn.avg_pool2d(padded, op.window, op.steps, "VALID")
    if op.count_include_pad:
        return y
    correction = prod(op.window) / _window_counts(op, x)  # (H', W', 1)
    return y * tf.constant(correction, x.dtype)


def _window_counts(op, x):
    """Elements of the image in each window.      returns: (H', W', 1)"""
    windows = op.output(types(x)).shape
    axes = zip(x.shape[1:3], op.pads(types(x)), op.window, op.steps, windows, strict=False)
    rows, columns = (_counts_along(*axis) for axis in axes)
    return np.outer(rows, columns)[..., None]


def _counts_along(size, pads, window, stride, windows):
    first = np.arange(windows) * stride - pads[0]
    return np.minimum(first + window, size) - np.maximum(first, 0)


def global_avg_pool(op, x):
    return tf.reduce_mean(x, axis=(1, 2))


def global_max_pool(op, x):
    """A window over the whole image: `reduce_max` shares a tie's gradient out."""
    return tf.squeeze(tf.nn.max_pool2d(x, x.shape[1:3], 1, "VALID"), (1, 2))


def adaptive_avg_pool2d(op, x):
    height, width = x.shape[1:3]
    if height % op.size[0] == 0 and width % op.size[1] == 0:
        window = [height // op.size[0], width // op.size[1]]
        return tf.nn.avg_pool2d(x, window, window, "VALID")
    rows, columns = op.windows(types(x))
    x = tf.stack([tf.reduce_mean(x[:, start:stop], 1) for start, stop in rows], 1)  # (N, H', W, C)
    return tf.stack([tf.reduce_mean(x[:, :, start:stop], 2) for start, stop in columns], 2)


def flatten(op, x):
    return tf.reshape(x, (x.shape[0], -1))


def reshape(op, x):
    return tf.reshape(x, (x.shape[0], *op.shape))


def transpose(op, x):
    return tf.transpose(x, (0, *(axis + 1 for axis in op.axes)))


def slice(op, x):
    axis = _batch_axis(op.axis, x)
    begin, size = [0] * len(x.shape), list(x.shape)
    begin[axis] = op.start
    size[axis] = (op.stop or size[axis]) - op.start
    return tf.slice(x, begin, size)


def concat(op, *inputs):
    batched = max(inputs, key=lambda x: len(x.shape))
    count, rank = batched.shape[0], len(batched.shape)
    joined = [x if len(x.shape) == rank else tf.broadcast_to(x, (count, *x.shape)) for x in inputs]
    return tf.concat(joined, _batch_axis(op.axis, batched))


def mean(op, x):
    axes = [_batch_axis(axis, x) for axis in op.axes]
    return tf.reduce_mean(x, axes)


def relu(op, x):
    return tf.nn.relu(x)


def relu6(op, x):
    return tf.nn.relu6(x)


def leaky_relu(op, x):
    """TensorFlow's own keeps its slope in float32."""
    if x.dtype == tf.float64:
        return tf.where(x > 0, x, op.slope * x)
    return tf.nn.leaky_relu(x, op.slope)


def elu(op, x):
    y = tf.nn.elu(x)
    return y if op.alpha == 1 else tf.where(x > 0, y, op.alpha * y)


def gelu(op, x):
    """The graph of `tf.nn.gelu`, whose constants pass through float32."""
    if op.approximation == "tanh":
        return 0.5 * x * (1 + tf.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + tf.math.erf(x / 2**0.5))


def silu(op, x):
    return tf.nn.silu(x)


def hardswish(op, x):
    return x * tf.nn.relu6(x + 3) / 6


def sigmoid(op, x):
    return tf.sigmoid(x)


def tanh(op, x):
    return tf.tanh(x)


def softmax(op, x):
    return tf.nn.softmax(x)


def add(op, *inputs):
    return sum((_stretched(x, inputs[0].shape) for x in inputs[1:]), inputs[0])


def mul(op, *inputs):
    return prod((_stretched(x, inputs[0].shape) for x in inputs[1:]), start=inputs[0])


def dropout(op, x, mask, generator):
    mask = generator.uniform(x.shape) >= op.rate if mask is None else mask
    return _thinned(op, x, mask)


def stochastic_depth(op, x, mask, generator):
    mask = generator.uniform(x.shape[:1]) >= op.rate if mask is None else mask
    stretched = tf.reshape(mask, (-1, *[1] * (len(x.shape) - 1)))
    return _thinned(op, x, stretched)


def _thinned(op, x, mask):
    return x * tf.cast(mask, x.dtype) / (1 - op.rate)


def _standardised(op, x, axes):
    """x less its mean over its root variance, which takes two passes:
    TensorFlow's fused kernel takes one.
    """
    centred = x - tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
    return centred * tf.math.rsqrt(variance + op.epsilon)


def batch_norm(op, x, scale, bias, mean, variance):
    return (x - mean) * (scale * tf.math.rsqrt(variance + op.epsilon)) + bias


def batch_norm_training(op, x, scale, bias, mean, variance):
    """In two passes: TensorFlow's fused kernel takes one, in float32 only, and loses accuracy."""
    axes = tuple(range(len(x.shape) - 1))
    batch_mean = tf.reduce_mean(x, axes)
    squares = tf.math.squared_difference(x, tf.stop_gradient(batch_mean))
    batch_variance = tf.reduce_mean(squares, axes)
    count = prod(x.shape[:-1])
    kept = batch_variance * (count / max(count - 1, 1)) if op.unbiased else batch_variance
    running = {
        "mean": op.momentum * mean + (1 - op.momentum) * batch_mean,
        "variance": op.momentum * variance + (1 - op.momentum) * kept,
    }
    return batch_norm(op, x, scale, bias, batch_mean, batch_variance), running


def layer_norm(op, x, scale, bias):
    return _standardised(op, x, -1) * scale + bias


def rms_norm(op, x, scale):
    mean_square = tf.reduce_mean(tf.square(x), -1, keepdims=True)
    return x * tf.math.rsqrt(mean_square + op.epsilon) * scale


def group_norm(op, x, scale, bias):
    grouped = tf.reshape(
        x, (x.shape[0], -1, op.groups, x.shape[-1] // op.groups)
    )  # (N, places, groups, channels)
    xhat = _standardised(op, grouped, (1, 3))
    return tf.reshape(xhat, x.shape) * scale + bias


def embedding(op, ids, weight):
    return tf.gather(weight, ids)


def position_embedding(op, x, weight):
    return x + _stretched(weight[op.offset : op.offset + x.shape[1]], x.shape)


def lstm(op, x, *states, weight, recurrent, bias):
    recurrent = tf.convert_to_tensor(recurrent)
    projected = partial(_projected, weight=tf.convert_to_tensor(weight), bias=bias)

    def step(a, h, c):
        i, f, g, o = tf.split(a + tf.matmul(h, recurrent), 4, -1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    last, every = scan(step, projected, x, start(op, x, states, 2))
    return sequence_or_last(op, last[0], every)


def gru(op, x, *states, weight, recurrent, bias, hidden_bias):
    recurrent = tf.convert_to_tensor(recurrent)
    hidden_bias = tf.convert_to_tensor(hidden_bias)
    projected = partial(_projected, weight=tf.convert_to_tensor(weight), bias=bias)

    def step(a, h):
        a_z, a_r, a_n = tf.split(a, 3, -1)
        u_z, u_r, u_n = tf.split(tf.matmul(h, recurrent), 3, -1)
        z, r = tf.sigmoid(a_z + u_z), tf.sigmoid(a_r + u_r)
        n = tf.tanh(a_n + r * (u_n + hidden_bias))
        return ((1 - z) * n + z * h,)

    last, every = scan(step, projected, x, start(op, x, states, 1))
    return sequence_or_last(op, last[0], every)


def _projected(x, weight, bias):
    """x W + b of one step, or of all in one product.      x: (N, I) or (N, T, I)"""
    rows = tf.reshape(x, (-1, x.shape[-1]))  # (N T, I)
    y = _biased(tf.matmul(rows, weight), bias)
    return tf.reshape(y, (*x.shape[:-1], -1))


def attention(op, q, k, v, mask=None):
    return attend(op, q, k, v, mask)
