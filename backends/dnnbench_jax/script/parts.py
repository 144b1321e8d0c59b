"""Functions that scripts of JAX hold as they stand here."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from ..depthwise import depthwise
from ..recurrent import gru_step, lstm_step

ARRAYS: dict = {}


def group(kind):
    """Arrays of the file by name, of one kind: `weights/`, `inputs/`, ..."""
    names = [name for name in ARRAYS if name.startswith(kind)]
    return {name.removeprefix(kind): jnp.array(ARRAYS[name]) for name in names}


def conv(x, weight, strides, pads, dilation=None):
    """x: (N, ..., C)   weight: (..., C, filters)   y: (N, ..., filters)"""
    layouts = ("NHWC", "HWIO", "NHWC") if x.ndim == 4 else ("NWC", "WIO", "NWC")
    return lax.conv_general_dilated(
        x, weight, strides, pads, rhs_dilation=dilation, dimension_numbers=layouts
    )


def grouped_conv(x, weight, strides, pads, groups, dilation=None):
    """Group by group: on a CPU many times faster than XLA's own.

    x: (N, ..., C)   weight: (..., C / groups, filters)
    """
    pairs = zip(jnp.split(x, groups, -1), jnp.split(weight, groups, -1), strict=True)
    return jnp.concatenate([conv(*pair, strides, pads, dilation) for pair in pairs], -1)


def conv_in_groups(x, weight, strides, pads, dilation, groups):
    """x: (N, ..., C)   weight: (..., C / groups, filters)   y: (N, ..., filters)"""
    layouts = ("NHWC", "HWIO", "NHWC") if x.ndim == 4 else ("NWC", "WIO", "NWC")
    return lax.conv_general_dilated(
        x,
        weight,
        strides,
        pads,
        rhs_dilation=dilation,
        dimension_numbers=layouts,
        feature_group_count=groups,
    )


def depthwise_of_sequence(x, weight, strides, pads, dilation):
    """A sequence as an image one row high.      x: (N, T, C)"""
    geometry = (1, *strides), ((0, 0), *pads), (1, *dilation)
    return depthwise(x[:, None], weight[None], *geometry)[:, 0]


def conv_transpose(x, weight, strides, cuts, dilation, extra):
    """The gradient of a convolution: a convolution of x with zeros between its places.

    x: (N, H, W, C)   weight: (kh, kw, filters, C)
    """
    spans = [(k - 1) * d for k, d in zip(weight.shape, dilation, strict=False)]
    pads = [(s - lo, s - hi + more) for s, (lo, hi), more in zip(spans, cuts, extra, strict=True)]
    kernel = jnp.flip(weight, (0, 1))
    layouts = ("NHWC", "HWOI", "NHWC")
    return lax.conv_general_dilated(
        x, kernel, (1, 1), pads, strides, dilation, dimension_numbers=layouts
    )


def over_windows(x, start, reduction, window, strides, pads):
    """x: (N, H, W, C)"""
    around = ((0, 0), *pads, (0, 0))
    return lax.reduce_window(x, start, reduction, (1, *window, 1), (1, *strides, 1), around)


def window_means(x, window, strides, pads):
    """Mean of each window over the elements that are no padding.      x: (N, H, W, C)"""
    counts = over_windows(
        jnp.ones((1, *x.shape[1:3], 1), x.dtype), 0.0, lax.add, window, strides, pads
    )
    return over_windows(x, 0.0, lax.add, window, strides, pads) / counts


def global_max_pool(x):
    """The first largest is picked: jnp.max would share its gradient out among ties."""
    pixels = x.reshape(len(x), -1, x.shape[-1])  # (N, H W, C)
    places = jnp.arange(pixels.shape[1])[:, None]
    is_largest = places == pixels.argmax(axis=1)[:, None]
    return jnp.where(is_largest, pixels, 0).sum(axis=1)


def adaptive_avg_pool(x, rows, columns):
    """Means over (start, stop) of rows, then of columns.      x: (N, H, W, C)"""
    for axis, windows in ((1, rows), (2, columns)):
        parts = [
            lax.slice_in_dim(x, start, stop, axis=axis).mean(axis=axis) for start, stop in windows
        ]
        x = jnp.stack(parts, axis)
    return x


def clipped_to_6(x):
    """Derivative 0 at 0 and at 6, where that of jax.nn.relu6 is a half."""
    return jnp.where(x <= 0, 0, jnp.where(x >= 6, 6, x))


def dropout(x, rate, key, shape):
    """One draw for each element of `shape`, x's first axes."""
    mask = jax.random.bernoulli(key, 1 - rate, shape)
    stretched = lax.expand_dims(mask, range(mask.ndim, x.ndim))
    return jnp.where(stretched, x / (1 - rate), 0)


def batch_norm(x, scale, bias, state, mean, variance, momentum, epsilon, unbiased=False):
    """In training; keeps running statistics in `state`.      x: (N, ..., C)"""
    axes = tuple(range(x.ndim - 1))
    batch_mean = x.mean(axis=axes)
    batch_variance = jnp.square(x - batch_mean).mean(axis=axes)
    count = x.size // x.shape[-1]
    kept = batch_variance * (count / max(count - 1, 1)) if unbiased else batch_variance
    state[mean] = momentum * state[mean] + (1 - momentum) * batch_mean
    state[variance] = momentum * state[variance] + (1 - momentum) * kept
    return batch_norm_by(x, scale, bias, batch_mean, batch_variance, epsilon)


def batch_norm_by(x, scale, bias, mean, variance, epsilon):
    """By given statistics, as in inference."""
    return (x - mean) * (scale * lax.rsqrt(variance + epsilon)) + bias


def layer_norm(x, scale, bias, epsilon):
    return standardised(x, (-1,), epsilon) * scale + bias


def standardised(x, axes, epsilon):
    """Mean 0 and variance 1 over the axes."""
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = jnp.square(centred).mean(axis=axes, keepdims=True)
    return centred * lax.rsqrt(variance + epsilon)


def rms_norm(x, scale, epsilon):
    return x * lax.rsqrt(jnp.square(x).mean(axis=-1, keepdims=True) + epsilon) * scale


def group_norm(x, scale, bias, groups, epsilon):
    """x: (N, ..., C)"""
    grouped = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    return standardised(grouped, (1, 3), epsilon).reshape(x.shape) * scale + bias


@jax.jit
def lstm_states(gates, h, c, recurrent):
    """Every h.      gates: (T, N, 4H) from the inputs   returns: (T, N, H)"""
    return lax.scan(lambda carried, a: lstm_step(carried, a, recurrent), (h, c), gates)[1]


def lstm(x, weight, recurrent, bias, h=None, c=None, last=False):
    """Gates i, f, g, o.      x: (N, T, I)   y: (N, T, H) or (N, H)"""
    zeros = jnp.zeros((len(x), len(recurrent)), x.dtype)
    h, c = (zeros if state is None else state for state in (h, c))
    states = lstm_states(jnp.swapaxes(x, 0, 1) @ weight + bias, h, c, recurrent)
    return states[-1] if last else jnp.swapaxes(states, 0, 1)


@jax.jit
def gru_states(gates, h, recurrent, hidden_bias):
    """Every h.      gates: (T, N, 3H) from the inputs   returns: (T, N, H)"""
    return lax.scan(lambda h, a: gru_step(h, a, recurrent, hidden_bias), h, gates)[1]


def gru(x, weight, recurrent, bias, hidden_bias, h=None, last=False):
    """Gates z, r, n.      x: (N, T, I)   y: (N, T, H) or (N, H)"""
    h = jnp.zeros((len(x), len(recurrent)), x.dtype) if h is None else h
    states = gru_states(jnp.swapaxes(x, 0, 1) @ weight + bias, h, recurrent, hidden_bias)
    return states[-1] if last else jnp.swapaxes(states, 0, 1)


def attention(q, k, v, heads, mask=None, causal=False):
    """q: (N, T, D)   k, v: (N, S, D)   mask: (N, S) or (N, T, S), True = attend"""
    qs, ks, vs = (x.reshape(*x.shape[:2], heads, -1) for x in (q, k, v))  # (N, T, heads, d)
    scores = jnp.einsum("nthd,nshd->nhts", qs, ks) * qs.shape[-1] ** -0.5  # (N, heads, T, S)
    if causal:
        queries, keys = scores.shape[-2:]
        earlier = jnp.tri(queries, keys, keys - queries, dtype=bool)
        scores = jnp.where(earlier, scores, -jnp.inf)
    if mask is not None:
        mask = mask[:, None, None] if mask.ndim == 2 else mask[:, None]
        scores = jnp.where(mask, scores, -jnp.inf)
    weights = jax.nn.softmax(scores, axis=-1)
    return jnp.einsum("nhts,nshd->nthd", weights, vs).reshape(q.shape)


def cross_entropy(z, labels, smoothing=0.0, ignored=None):
    """Mean over the labels that count.      z: (N, ..., K)   labels: (N, ...)"""
    counted = None if ignored is None else labels != ignored
    labels = labels if counted is None else jnp.where(counted, labels, 0)
    each = optax.softmax_cross_entropy_with_integer_labels(z, labels)
    if smoothing:
        spread = jax.nn.logsumexp(z, axis=-1) - z.mean(axis=-1)
        each = (1 - smoothing) * each + smoothing * spread
    return each.mean(where=counted)


def scheduled(rate, warmup, steps, floor):
    """Rises for `warmup` steps, then falls along a cosine; Optax counts steps from 0."""

    def of_step(count):
        t = (count + 1).astype(float)
        share = jnp.minimum((t - warmup) / max(steps - warmup, 1), 1)
        falling = floor + (1 - floor) * (1 + jnp.cos(jnp.pi * share)) / 2
        return rate * jnp.where(t <= warmup, t / max(warmup, 1), falling)

    return of_step


def record(backward, *arguments):
    """What backpropagation would read, returned so that no compiler leaves it out."""
    held = {id(leaf) for leaf in jax.tree.leaves(arguments)}
    return [leaf for leaf in jax.tree.leaves(backward) if id(leaf) not in held]


def copied(tree):
    return jax.tree.map(jnp.copy, tree)


def flat(result):
    """Arrays by `group/name`."""
    arrays = {}
    for kind, value in result.items():
        named = value if isinstance(value, dict) else {None: value}
        for name, x in named.items():
            arrays[kind if name is None else f"{kind}/{name}"] = np.array(x)
    return arrays
