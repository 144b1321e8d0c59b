"""The value of each op, as its docstring in `dnnbench.spec.ops` defines it."""

from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
from dnnbench.spec.tensor import TensorType
from jax import lax

from .attention import attend
from .convolution import convolve, convolve_transposed
from .recurrent import every_state, first_state, gru_step, lstm_step, sequence_or_last
from .spread import biased, spread


def types(*inputs):
    """Types of arrays as the spec's shape rules want them."""
    return [TensorType(x.shape[1:]) for x in inputs]


def dense(op, x, weight, bias=None):
    w = weight.T if op.transposed else weight  # (n, units)
    return biased(x @ w, bias)


def matmul(op, a, b):
    b = jnp.swapaxes(b, -1, -2) if op.transpose_b else b
    return a @ b


def conv1d(op, x, weight, bias=None):
    y = convolve(x, weight, (op.strides,), (op.pads(types(x)),), (op.dilation,), op.groups)
    return biased(y, bias)


def conv2d(op, x, weight, bias=None):
    y = convolve(x, weight, op.strides, op.pads(types(x)), op.dilation, op.groups)  # (N, H', W', F)
    return biased(y, bias)


def conv_transpose2d(op, x, weight, bias=None):
    y = convolve_transposed(x, weight, op.strides, op.pads, op.dilation, op.output_padding)
    return biased(y, bias)


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
    ones = jnp.ones((1, *x.shape[1:3], 1), x.dtype)
    return _over_windows(op, ones, 0.0, lax.add)


def global_avg_pool(op, x):
    return x.mean(axis=(1, 2))


def global_max_pool(op, x):
    """The first largest is picked, as the gradient of `jnp.max` is shared out among ties."""
    pixels = x.reshape(len(x), -1, x.shape[-1])  # (N, H W, C)
    places = jnp.arange(pixels.shape[1])[:, None]
    is_largest = places == pixels.argmax(axis=1)[:, None]
    return jnp.where(is_largest, pixels, 0).sum(axis=1)


def adaptive_avg_pool2d(op, x):
    for axis, windows in enumerate(op.windows(types(x)), start=1):
        parts = [
            lax.slice_in_dim(x, start, stop, axis=axis).mean(axis=axis) for start, stop in windows
        ]
        x = jnp.stack(parts, axis)
    return x


def flatten(op, x):
    return x.reshape(len(x), -1)


def reshape(op, x):
    return x.reshape(len(x), *op.shape)


def transpose(op, x):
    return x.transpose(0, *(axis + 1 for axis in op.axes))


def slice(op, x):
    return lax.slice_in_dim(x, op.start, op.stop, axis=_axis(op.axis, x))


def _axis(axis, x):
    """An example's axis -> the array's."""
    return axis % (x.ndim - 1) + 1


def concat(op, *inputs):
    batched = max(inputs, key=lambda x: x.ndim)
    full = [x if x.ndim == batched.ndim else _for_each(len(batched), x) for x in inputs]
    return jnp.concatenate(full, axis=_axis(op.axis, batched))


def _for_each(examples, x):
    shape = (examples, *x.shape)
    return jnp.broadcast_to(spread(x, shape), shape)


def mean(op, x):
    axes = tuple(_axis(axis, x) for axis in op.axes)
    return x.mean(axis=axes)


def relu(op, x):
    return jax.nn.relu(x)


def relu6(op, x):
    return _clipped_to_6(x)


def _clipped_to_6(x):
    """Derivative 0 at 0 and at 6, where that of `jax.nn.relu6` is a half."""
    at_most_6 = jnp.where(x >= 6, 6, x)
    return jnp.where(x <= 0, 0, at_most_6)


def leaky_relu(op, x):
    """The derivative of `jax.nn.leaky_relu` at 0 is 1."""
    return jnp.where(x > 0, x, op.slope * x)


def elu(op, x):
    return jax.nn.elu(x, op.alpha)


def gelu(op, x):
    return jax.nn.gelu(x, approximate=op.approximation == "tanh")


def silu(op, x):
    return jax.nn.silu(x)


def hardswish(op, x):
    return x * _clipped_to_6(x + 3) / 6


def sigmoid(op, x):
    return jax.nn.sigmoid(x)


def tanh(op, x):
    return jnp.tanh(x)


def softmax(op, x):
    return jax.nn.softmax(x, axis=-1)


def add(op, *inputs):
    return reduce(jnp.add, _alike(inputs))


def mul(op, *inputs):
    return reduce(jnp.multiply, _alike(inputs))


def _alike(inputs):
    """What they are joined as: a constant meets a batch, a gate an image."""
    shape = jnp.broadcast_shapes(*(x.shape for x in inputs))
    return [spread(x, shape) for x in inputs]


def dropout(op, x, mask, generator):
    return _thinned(op, x, mask, generator, x.shape)


def stochastic_depth(op, x, mask, generator):
    return _thinned(op, x, mask, generator, x.shape[:1])


def _thinned(op, x, mask, generator, shape):
    if mask is None:
        mask = jax.random.bernoulli(generator, 1 - op.rate, shape)
    stretched = lax.expand_dims(mask, range(mask.ndim, x.ndim))
    return jnp.where(stretched, x / (1 - op.rate), 0)


def batch_norm(op, x, scale, bias, mean, variance):
    return (x - mean) * (scale * lax.rsqrt(variance + op.epsilon)) + bias


def batch_norm_training(op, x, scale, bias, mean, variance):
    axes = tuple(range(x.ndim - 1))
    batch_mean = x.mean(axis=axes)
    batch_variance = jnp.square(x - batch_mean).mean(axis=axes)
    count = x.size // x.shape[-1]
    kept = batch_variance * (count / max(count - 1, 1)) if op.unbiased else batch_variance
    running = {
        "mean": op.momentum * mean + (1 - op.momentum) * batch_mean,
        "variance": op.momentum * variance + (1 - op.momentum) * kept,
    }
    return batch_norm(op, x, scale, bias, batch_mean, batch_variance), running


def layer_norm(op, x, scale, bias):
    return _standardised(x, (-1,), op.epsilon) * scale + bias


def _standardised(x, axes, epsilon):
    """Mean 0 and variance 1 over `axes`, the variance in two passes."""
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = jnp.square(centred).mean(axis=axes, keepdims=True)
    return centred * lax.rsqrt(variance + epsilon)


def rms_norm(op, x, scale):
    mean_square = jnp.square(x).mean(axis=-1, keepdims=True)
    return x * lax.rsqrt(mean_square + op.epsilon) * scale


def group_norm(op, x, scale, bias):
    grouped = x.reshape(
        len(x), -1, op.groups, x.shape[-1] // op.groups
    )  # (N, places, groups, channels)
    xhat = _standardised(grouped, (1, 3), op.epsilon)
    return xhat.reshape(x.shape) * scale + bias


def embedding(op, ids, weight):
    return jnp.take(weight, ids, axis=0)


def position_embedding(op, x, weight):
    return x + weight[op.offset : op.offset + x.shape[1]]


def lstm(op, x, *states, weight, recurrent, bias):
    first = states or (first_state(op, x), first_state(op, x))
    return sequence_or_last(op, every_state(lstm_step, x, first, weight, bias, recurrent))


def gru(op, x, *states, weight, recurrent, bias, hidden_bias):
    (h,) = states or (first_state(op, x),)
    every = every_state(gru_step, x, h, weight, bias, recurrent, hidden_bias)
    return sequence_or_last(op, every)


def attention(op, q, k, v, mask=None):
    return attend(op, q, k, v, mask)
