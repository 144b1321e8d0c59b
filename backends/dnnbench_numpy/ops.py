"""The value of each op, as its docstring in `dnnbench.spec.ops` defines it."""

from functools import lru_cache, reduce
from math import prod

import numpy as np
from dnnbench.spec.tensor import TensorType

from . import convolution, products
from .activations import exponentials, logistic, logistic_once, normal_share
from .attention import attention_weights, by_head, side_by_side
from .choices import above, largest, place_of_largest, rectified
from .norms import all_but_last, in_groups, moments, root_mean_square, standardised
from .recurrent import gru_steps, lstm_steps
from .windows import Geometry, taps, types


def dense(op, x, weight, bias=None):
    w = weight.T if op.transposed else weight  # (n, units)
    return _biased(products.matmul(x, w), bias)


def _biased(y, bias):
    """y + bias in y's own memory: y is a product that nothing else refers to."""
    if bias is not None:
        y += bias
    return y


def matmul(op, a, b):
    b = b.swapaxes(-1, -2) if op.transpose_b else b
    return products.matmul(a, b)


def conv1d(op, x, weight, bias=None):
    image = convolution.one_pixel_high(x)
    y = convolution.correlate(image, weight[None], convolution.along_time(op, x))
    return _biased(y[:, 0], bias)


def conv2d(op, x, weight, bias=None):
    y = convolution.correlate(x, weight, convolution.over_images(op, x))  # (N, H', W', F)
    return _biased(y, bias)


def conv_transpose2d(op, x, weight, bias=None):
    shape = (len(x), *op.output(types(x)).shape)
    y = convolution.image_gradient(x, weight, convolution.transposed(op), shape)
    return _biased(y, bias)


def max_pool2d(op, x):
    return largest(taps(x, pool_geometry(op, x), -np.inf))


def pool_geometry(op, x):
    """Where a pool's windows lie."""
    return _pool_geometry(op, x.shape[1:])


@lru_cache(maxsize=1024)
def _pool_geometry(op, shape):
    return Geometry(op.window, op.steps, op.pads([TensorType(shape)]))


def avg_pool2d(op, x):
    return reduce(np.add, taps(x, pool_geometry(op, x))) / window_counts(op, x)


def window_counts(op, x):
    """Elements that each window divides by.      returns: (1, H', W', 1) or a number"""
    if op.count_include_pad:
        return float(prod(op.window))
    ones = np.ones((1, *x.shape[1:3], 1), x.dtype)
    return reduce(np.add, taps(ones, pool_geometry(op, x)))


def global_avg_pool(op, x):
    return x.mean(axis=(1, 2))


def global_max_pool(op, x):
    pixels = x.reshape(len(x), -1, x.shape[-1])  # (N, H W, C)
    return np.take_along_axis(pixels, place_of_largest(pixels, 1), 1)[:, 0]


def adaptive_avg_pool2d(op, x):
    """A mean over a rectangle is one over its rows, then over its columns."""
    rows, columns = op.windows(types(x))
    x = np.stack([x[:, start:stop].mean(axis=1) for start, stop in rows], axis=1)  # (N, H', W, C)
    return np.stack([x[:, :, start:stop].mean(axis=2) for start, stop in columns], axis=2)


def flatten(op, x):
    return x.reshape(len(x), -1)


def reshape(op, x):
    return x.reshape(len(x), *op.shape)


def transpose(op, x):
    return x.transpose(0, *(axis + 1 for axis in op.axes))


def slice(op, x):
    return x[part_of_axis(op, x)]


def part_of_axis(op, x):
    """Index of the part that a slice keeps."""
    before = (np.s_[:],) * batched_axis(op.axis, x.ndim)
    return (*before, np.s_[op.start : op.stop])


def batched_axis(axis, ndim):
    """An axis of one example, counted behind the batch."""
    return axis % (ndim - 1) + 1


def concat(op, *inputs):
    ndim, size = max((x.ndim, len(x)) for x in inputs)
    every = [x if x.ndim == ndim else np.broadcast_to(x, (size, *x.shape)) for x in inputs]
    return np.concatenate(every, axis=batched_axis(op.axis, ndim))


def mean(op, x):
    axes = tuple(batched_axis(axis, x.ndim) for axis in op.axes)
    return x.mean(axis=axes)


def relu(op, x):
    return rectified(x)


def relu6(op, x):
    return np.clip(x, 0, 6)


def leaky_relu(op, x):
    return np.where(above(x), x, op.slope * x)


def elu(op, x):
    return np.where(x > 0, x, op.alpha * np.expm1(np.minimum(x, 0)))


def gelu(op, x):
    return x * normal_share(x, op.approximation)


def silu(op, x):
    return x * logistic_once(x)


def hardswish(op, x):
    return x * np.clip(x + 3, 0, 6) / 6


def sigmoid(op, x):
    return logistic(x)


def tanh(op, x):
    return np.tanh(x)


def softmax(op, x):
    _, e, total = exponentials(x)
    return e / total


def add(op, *inputs):
    return reduce(np.add, inputs)


def mul(op, *inputs):
    return reduce(np.multiply, inputs)


def dropout(op, x, mask, generator):
    return thinned(op, x, mask)


def stochastic_depth(op, x, mask, generator):
    return thinned(op, x, mask)


def thinned(op, x, mask):
    """x mask / (1 - rate), the mask stretched over x.

    The program draws it, as backpropagation reads it again.
    """
    stretched = mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim))
    return x * stretched / (1 - op.rate)


def batch_norm(op, x, scale, bias, mean, variance):
    return scale * (x - mean) / np.sqrt(variance + op.epsilon) + bias


def batch_norm_training(op, x, scale, bias, mean, variance):
    batch_mean, batch_variance = (m.reshape(-1) for m in moments(x, all_but_last(x)))
    count = x.size // x.shape[-1]
    kept = batch_variance * (count / max(count - 1, 1)) if op.unbiased else batch_variance
    running = {
        "mean": op.momentum * mean + (1 - op.momentum) * batch_mean,
        "variance": op.momentum * variance + (1 - op.momentum) * kept,
    }
    return batch_norm(op, x, scale, bias, batch_mean, batch_variance), running


def layer_norm(op, x, scale, bias):
    xhat, _ = standardised(x, (-1,), op.epsilon)
    return xhat * scale + bias


def rms_norm(op, x, scale):
    return x / root_mean_square(x, op.epsilon) * scale


def group_norm(op, x, scale, bias):
    xhat, _ = standardised(in_groups(x, op.groups), (1, 3), op.epsilon)
    return xhat.reshape(x.shape) * scale + bias


def embedding(op, ids, weight):
    return weight[ids]


def position_embedding(op, x, weight):
    return x + weight[op.offset : op.offset + x.shape[1]]


def lstm(op, x, *states, weight, recurrent, bias):
    _, hidden, _ = lstm_steps(op, x, states, weight, recurrent, bias)
    return _sequence_or_last(op, hidden)


def gru(op, x, *states, weight, recurrent, bias, hidden_bias):
    _, hidden, _ = gru_steps(op, x, states, weight, recurrent, bias, hidden_bias)
    return _sequence_or_last(op, hidden)


def _sequence_or_last(op, hidden):
    return hidden[:, 1:] if op.sequences else hidden[:, -1]


def attention(op, q, k, v, mask=None):
    p = attention_weights(op, q, k, mask)  # (N, heads, T, S)
    y = products.matmul(p, by_head(v, op.heads))  # (N, heads, T, D / heads)
    return side_by_side(y)
