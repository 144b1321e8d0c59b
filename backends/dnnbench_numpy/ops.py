"""The value of each op, as its docstring in `dnnbench.spec.ops` defines it."""

from math import prod

import numpy as np
from dnnbench.spec.tensor import TensorType

from .choices import largest, rectified
from .products import matmul
from .windows import pad, patches, places, taps


def types(*inputs):
    """Types of arrays as the spec's shape rules want them."""
    return [TensorType(x.shape[1:]) for x in inputs]


def dense(op, x, weight, bias=None):
    return _biased(matmul(x, weight), bias)


def _biased(y, bias):
    """y + bias in y's own memory: y is a product that nobody else holds."""
    if bias is not None:
        y += bias
    return y


def columns(op, x):
    """Windows as the rows of a matrix.      x: (N, H, W, C)   returns: (N H' W', kh kw C)"""
    view = patches(pad(x, op.pads(types(x))), op.kernel, op.strides, op.dilation)
    return view.reshape(-1, prod(view.shape[3:]))


def conv2d(op, x, weight, bias=None):
    y = matmul(columns(op, x), weight.reshape(-1, op.filters))
    return _biased(y, bias).reshape(len(x), *op.output(types(x)).shape)


def max_pool2d(op, x):
    return largest(pool_taps(op, x, -np.inf))


def pool_taps(op, x, padding):
    """The elements that all windows have at each of their places."""
    out = op.output(types(x)).shape
    return taps(pad(x, op.pads(types(x)), padding), op.window, op.steps, out)


def avg_pool2d(op, x):
    return sum(pool_taps(op, x, 0.0)) / window_counts(op, x)


def window_counts(op, x):
    """Elements that each window divides by.      returns: (H', W', 1) or a number"""
    if op.count_include_pad:
        return float(prod(op.window))
    inside = np.ones((1, *x.shape[1:3], 1), x.dtype)
    out = op.output(types(x)).shape
    padded = pad(inside, op.pads(types(x)))
    return sum(padded[place] for place in places(op.window, op.steps, out))[0]


def global_avg_pool(op, x):
    return x.mean(axis=(1, 2))


def flatten(op, x):
    return x.reshape(len(x), -1)


def relu(op, x):
    return rectified(x)


def sigmoid(op, x):
    return 1 / (1 + np.exp(-x))


def tanh(op, x):
    return np.tanh(x)


def softmax(op, x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def add(op, *inputs):
    return sum(inputs[1:], inputs[0])


def dropout(op, x, mask, generator):
    if mask is None:
        mask = generator.random(x.shape, np.float32) >= op.rate
    return x * mask / (1 - op.rate)


def batch_norm(op, x, scale, bias, mean, variance):
    return scale * (x - mean) / np.sqrt(variance + op.epsilon) + bias


def batch_norm_training(op, x, scale, bias, mean, variance):
    axes = tuple(range(x.ndim - 1))
    batch_mean = x.mean(axis=axes)
    batch_variance = np.square(x - batch_mean).mean(axis=axes)
    running = {
        "mean": op.momentum * mean + (1 - op.momentum) * batch_mean,
        "variance": op.momentum * variance + (1 - op.momentum) * batch_variance,
    }
    return batch_norm(op, x, scale, bias, batch_mean, batch_variance), running
