"""Functions that scripts of NumPy hold as they stand here: of the forward pass."""

from functools import reduce
from itertools import product
from math import pi, sqrt

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import erf

ARRAYS: dict = {}


def group(kind):
    """Arrays of the file by name, of one kind: `weights/`, `state/`."""
    names = [name for name in ARRAYS if name.startswith(kind)]
    return {name.removeprefix(kind): ARRAYS[name] for name in names}


def dense(x, weight, bias=None):
    """Of a sequence one large product, not a stack of small ones.      x: (..., n)"""
    y = (x.reshape(-1, x.shape[-1]) @ weight).reshape(*x.shape[:-1], weight.shape[-1])
    return biased(y, bias)


def biased(y, bias):
    """y + bias in y's own memory."""
    if bias is not None:
        y += bias
    return y


def padded(x, pads, value=0.0):
    """x: (N, H, W, C)"""
    if not np.any(pads):
        return x
    (top, bottom), (left, right) = pads
    n, height, width, channels = x.shape
    y = np.full((n, height + top + bottom, width + left + right, channels), value, x.dtype)
    y[:, top : top + height, left : left + width] = x
    return y


def conv(x, weight, bias=None, *, strides, pads, dilation=(1, 1), groups=1):
    """Windows as rows of a matrix, one product a group.

    x: (N, H, W, C)   weight: (kh, kw, C / groups, F)   y: (N, H', W', F)
    """
    filters = weight.shape[-1]
    columns, places = window_rows(x, weight.shape[:2], strides, pads, dilation, groups)
    kernels = by_group(weight.reshape(-1, filters), groups)
    y = (columns @ kernels).transpose(1, 0, 2).reshape(*places, filters)
    return biased(y, bias)


def window_rows(x, window, strides, pads, dilation, groups):
    """((groups, N H' W', kh kw C / groups), (N, H', W'))"""
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    view = sliding_window_view(padded(x, pads), spans, axis=(1, 2))  # (N, ., ., C, span, span)
    view = view[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]
    windows = view.transpose(0, 1, 2, 4, 5, 3)  # (N, H', W', kh, kw, C)
    *places, channels = windows.shape
    apart = np.moveaxis(windows.reshape(*places, groups, channels // groups), 5, 0)
    return apart.reshape(groups, np.prod(places[:3]), -1), places[:3]


def by_group(rows, groups):
    """(R, C) -> (groups, R, C / groups)"""
    return rows.reshape(len(rows), groups, -1).transpose(1, 0, 2)


def depthwise(x, weight, bias=None, *, strides, pads, dilation=(1, 1)):
    """Each channel by filters of its own: taps shifted, multiplied, added.

    x: (N, H, W, C)   weight: (kh, kw, 1, F)   y: (N, H', W', F)
    """
    filters = weight.shape[-1]
    multiplier = filters // x.shape[-1]
    repeated = np.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
    first, *rest = zip(
        taps(repeated, weight.shape[:2], strides, pads, dilation=dilation),
        weight.reshape(-1, filters),
        strict=True,
    )
    y = first[0] * first[1]
    for tap, kernel in rest:
        y += tap * kernel
    return biased(y, bias)


def conv_transpose(x, weight, bias=None, *, strides, pads, size, dilation=(1, 1)):
    """Each tap's product added to the places that it reaches.

    x: (N, H, W, C)   weight: (kh, kw, F, C)   size: (H', W')   y: (N, H', W', F)
    """
    (top, bottom), (left, right) = pads
    height, width, filters, channels = weight.shape
    whole = (len(x), size[0] + top + bottom, size[1] + left + right, filters)
    total = np.zeros(whole, x.dtype)
    rows = x.reshape(-1, channels)
    reached = places(whole[1:3], (height, width), strides, dilation)
    for place, kernel in zip(reached, weight.reshape(-1, filters, channels), strict=True):
        total[place] += (rows @ kernel.T).reshape(*x.shape[:3], filters)
    return biased(total[:, top : top + size[0], left : left + size[1]], bias)


def taps(x, window, strides, pads, value=0.0, dilation=(1, 1)):
    """For each place in a window what all windows have there: views (N, H', W', C)."""
    around = padded(x, pads, value)
    return [around[place] for place in places(around.shape[1:3], window, strides, dilation)]


def places(size, window, strides, dilation=(1, 1)):
    """Index of each tap into a padded image of this size."""
    axes = zip(size, window, strides, dilation, strict=True)
    rows, columns = (
        [slice(u * d, u * d + n - (k - 1) * d, s) for u in range(k)] for n, k, s, d in axes
    )
    return [(slice(None), *pair) for pair in product(rows, columns)]


def window_means(x, window, strides, pads):
    """Mean of each window over the elements that are no padding.      x: (N, H, W, C)"""
    ones = np.ones((1, *x.shape[1:3], 1), x.dtype)
    counts = reduce(np.add, taps(ones, window, strides, pads))
    return reduce(np.add, taps(x, window, strides, pads)) / counts


def adaptive_avg_pool(x, rows, columns):
    """Means over (start, stop) of rows, then of columns.      x: (N, H, W, C)"""
    x = np.stack([x[:, start:stop].mean(axis=1) for start, stop in rows], axis=1)
    return np.stack([x[:, :, start:stop].mean(axis=2) for start, stop in columns], axis=2)


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def gelu(x):
    return x * (0.5 * (1 + erf(x * sqrt(0.5))))


def gelu_by_tanh(x):
    return x * (0.5 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x))))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def batch_norm_by(x, scale, bias, mean, variance, epsilon):
    """By given statistics, as in inference."""
    return scale * (x - mean) / np.sqrt(variance + epsilon) + bias


def layer_norm(x, scale, bias, epsilon):
    return standardised(x, (-1,), epsilon) * scale + bias


def standardised(x, axes, epsilon):
    """Mean 0 and variance 1 over the axes."""
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + epsilon)


def rms_norm(x, scale, epsilon):
    return x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + epsilon) * scale


def group_norm(x, scale, bias, groups, epsilon):
    """x: (N, ..., C)"""
    grouped = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    return standardised(grouped, (1, 3), epsilon).reshape(x.shape) * scale + bias


def lstm(x, weight, recurrent, bias, h=None, c=None, last=False):
    """Gates i, f, g, o.      x: (N, T, I)   y: (N, T, H) or (N, H)"""
    gates = dense(x, weight, bias)
    h, c = (zeros(x, recurrent) if state is None else state for state in (h, c))
    states = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(gates[:, t] + h @ recurrent, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return h if last else np.stack(states, axis=1)


def gru(x, weight, recurrent, bias, hidden_bias, h=None, last=False):
    """Gates z, r, n.      x: (N, T, I)   y: (N, T, H) or (N, H)"""
    gates = dense(x, weight, bias)
    h = zeros(x, recurrent) if h is None else h
    states = []
    for t in range(x.shape[1]):
        a_z, a_r, a_n = np.split(gates[:, t], 3, axis=-1)
        u_z, u_r, u_n = np.split(h @ recurrent, 3, axis=-1)
        z, r = sigmoid(a_z + u_z), sigmoid(a_r + u_r)
        n = np.tanh(a_n + r * (u_n + hidden_bias))
        h = (1 - z) * n + z * h
        states.append(h)
    return h if last else np.stack(states, axis=1)


def zeros(x, recurrent):
    """A first state: (N, H)."""
    return np.zeros((len(x), len(recurrent)), x.dtype)


def attention(q, k, v, heads, mask=None, causal=False):
    """q: (N, T, D)   k, v: (N, S, D)   mask: (N, S) or (N, T, S), True = attend"""
    p = attention_weights(q, k, heads, mask, causal)
    return side_by_side(p @ by_head(v, heads))


def attention_weights(q, k, heads, mask=None, causal=False):
    """softmax(Q K^T / sqrt(D / heads)) over the keys in sight: (N, heads, T, S)"""
    qs, ks = by_head(q, heads), by_head(k, heads)
    scores = qs @ ks.swapaxes(2, 3) * (1 / sqrt(qs.shape[-1]))
    if causal:
        queries, keys = scores.shape[-2:]
        scores = np.where(np.tri(queries, keys, keys - queries, dtype=bool), scores, -np.inf)
    if mask is not None:
        seen = mask[:, None, None] if mask.ndim == 2 else mask[:, None]
        scores = np.where(seen, scores, -np.inf)
    return softmax(scores)


def by_head(x, heads):
    """(N, T, D) -> (N, heads, T, D / heads)"""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def side_by_side(x):
    """(N, heads, T, D / heads) -> (N, T, D)"""
    return x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1)


def flat(result):
    """Arrays by `group/name`."""
    arrays = {}
    for kind, value in result.items():
        named = value if isinstance(value, dict) else {None: value}
        for name, x in named.items():
            arrays[kind if name is None else f"{kind}/{name}"] = x
    return arrays


def drawn(generator, rate, shape, dtype):
    """1 with probability 1 - rate, else 0."""
    return (generator.random(shape, np.float32) >= rate).astype(dtype)


def dropout(x, rate, masks, name, generator, shape):
    """A draw for each element of `shape`, x's first axes; kept, as backpropagation reads it."""
    masks[name] = drawn(generator, rate, shape, x.dtype)
    return thinned(x, masks[name], rate)


def thinned(x, mask, rate):
    return x * mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim)) / (1 - rate)


def batch_norm(x, scale, bias, state, mean, variance, momentum, epsilon, unbiased=False):
    """In training; keeps running statistics in `state`.      x: (N, ..., C)"""
    axes = tuple(range(x.ndim - 1))
    batch_mean = x.mean(axis=axes)
    batch_variance = np.square(x - batch_mean).mean(axis=axes)
    count = x.size // x.shape[-1]
    kept = batch_variance * (count / max(count - 1, 1)) if unbiased else batch_variance
    state[mean] = momentum * state[mean] + (1 - momentum) * batch_mean
    state[variance] = momentum * state[variance] + (1 - momentum) * kept
    return batch_norm_by(x, scale, bias, batch_mean, batch_variance, epsilon)


def cross_entropy(z, labels, smoothing=0.0, ignored=None):
    """Mean over the labels that count.      z: (N, ..., K)   labels: (N, ...)"""
    counted, at_label = counted_labels(labels, ignored)
    shifted = z - z.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=-1))
    expected = (1 - smoothing) * shifted[at_label] + smoothing * shifted.mean(axis=-1)
    return (log_sum - expected)[counted].mean()


def counted_labels(labels, ignored):
    """(which labels count, index of every label's logit)"""
    counted = np.ones(labels.shape, bool) if ignored is None else labels != ignored
    return counted, (*np.indices(labels.shape), np.where(counted, labels, 0))


def bce_with_logits(z, targets):
    return (np.maximum(z, 0) - z * targets + np.log1p(np.exp(-np.abs(z)))).mean()


def rows(x):
    """All positions below each other."""
    return x.reshape(-1, x.shape[-1])
