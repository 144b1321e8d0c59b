"""The value of each op, as its docstring in `dnnbench.spec.ops` defines it."""

import jax
import jax.numpy as jnp
import numpy as np
from dnnbench.spec.tensor import TensorType
from jax import lax


def types(*inputs):
    """Types of arrays as the spec's shape rules want them."""
    return [TensorType(x.shape[1:]) for x in inputs]


def dense(op, x, weight, bias=None):
    y = x @ weight
    return y if bias is None else y + bias


def conv2d(op, x, weight, bias=None):
    layouts = ("NHWC", "HWIO", "NHWC")
    pads = op.pads(types(x))
    y = lax.conv_general_dilated(x, weight, op.strides, pads, rhs_dilation=op.dilation, dimension_numbers=layouts)
    return y if bias is None else y + bias


def max_pool2d(op, x):
    return _over_windows(op, x, -jnp.inf, lax.max)


def _over_windows(op, x, start, reduction):
    pads = ((0, 0), *op.pads(types(x)), (0, 0))
    return lax.reduce_window(x, start, reduction, (1, *op.window, 1), (1, *op.steps, 1), pads)


def avg_pool2d(op, x):
    return _over_windows(op, x, 0.0, lax.add) / _window_counts(op, x)


def _window_counts(op, x):
    """Elements that each window divides by.      returns: (1, H', W', 1) or a number"""
    if op.count_include_pad:
        return float(np.prod(op.window))
    return _over_windows(op, jnp.ones((1, *x.shape[1:3], 1), x.dtype), 0.0, lax.add)


def global_avg_pool(op, x):
    return x.mean(axis=(1, 2))


def flatten(op, x):
    return x.reshape(len(x), -1)


def relu(op, x):
    return jax.nn.relu(x)


def sigmoid(op, x):
    return jax.nn.sigmoid(x)


def tanh(op, x):
    return jnp.tanh(x)


def softmax(op, x):
    return jax.nn.softmax(x, axis=-1)


def add(op, *inputs):
    return sum(inputs[1:], inputs[0])


def dropout(op, x, mask, generator):
    if mask is None:
        mask = jax.random.bernoulli(generator, 1 - op.rate, x.shape)
    return jnp.where(mask, x / (1 - op.rate), 0)


def batch_norm(op, x, scale, bias, mean, variance):
    return (x - mean) * (scale * lax.rsqrt(variance + op.epsilon)) + bias


def batch_norm_training(op, x, scale, bias, mean, variance):
    axes = tuple(range(x.ndim - 1))
    batch_mean = x.mean(axis=axes)
    batch_variance = jnp.square(x - batch_mean).mean(axis=axes)
    running = {
        "mean": op.momentum * mean + (1 - op.momentum) * batch_mean,
        "variance": op.momentum * variance + (1 - op.momentum) * batch_variance,
    }
    return batch_norm(op, x, scale, bias, batch_mean, batch_variance), running
