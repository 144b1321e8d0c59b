"""Functions that scripts of NumPy hold as they stand here: of the backward pass."""

from functools import reduce
from math import pi, sqrt

import numpy as np
from scipy.special import erf

from .parts import (
    attention_weights,
    by_group,
    by_head,
    counted_labels,
    dense,
    places,
    rows,
    side_by_side,
    sigmoid,
    softmax,
    taps,
    window_rows,
    zeros,
)


def cross_entropy_backward(z, labels, smoothing=0.0, ignored=None):
    """(softmax(z) - q) / number of labels that count"""
    counted, at_label = counted_labels(labels, ignored)
    q = np.full_like(z, smoothing / z.shape[-1])
    q[at_label] += 1 - smoothing
    return (softmax(z) - q) * counted[..., None] / int(np.count_nonzero(counted))


def summed_products(a, b):
    """sum over all positions of a^T b"""
    return rows(a).T @ rows(b)


def conv_to_input(g, weight, shape, *, strides, pads, dilation=(1, 1), groups=1):
    """dx of y = conv(x): each tap's product added to the places that it read.

    g: (N, H', W', F)   weight: (kh, kw, C / groups, F)   shape: x's
    """
    filters = g.shape[-1]
    kernels = weight.reshape(-1, *weight.shape[2:])  # (kh kw, C / groups, F)
    if weight.shape[2] == 1 and groups > 1:
        split = (*g.shape[:3], shape[-1], -1)
        shares = ((g * kernel).reshape(split).sum(axis=-1) for kernel in kernels)
    else:
        flat_g = by_group(g.reshape(-1, filters), groups)  # (groups, N H' W', F / groups)
        products = (flat_g @ by_group(kernel, groups).swapaxes(1, 2) for kernel in kernels)
        shares = (p.transpose(1, 0, 2).reshape(*g.shape[:3], shape[-1]) for p in products)
    return spread(shares, weight.shape[:2], shape, strides, pads, dilation)


def spread(shares, window, shape, strides, pads, dilation=(1, 1)):
    """The adjoint of `taps`.      shares: (N, H', W', C) for each place in a window"""
    (top, bottom), (left, right) = pads
    n, height, width, channels = shape
    whole = (height + top + bottom, width + left + right)
    total = None
    for share, place in zip(shares, places(whole, window, strides, dilation), strict=True):
        if total is None:
            total = np.zeros((n, *whole, channels), share.dtype)
        total[place] += share
    return total[:, top : top + height, left : left + width]


def conv_to_weight(g, x, shape, *, strides, pads, dilation=(1, 1), groups=1):
    """dW of y = conv(x): windows^T g.      shape: (kh, kw, C / groups, F)"""
    filters = shape[-1]
    if shape[2] == 1 and groups > 1:
        multiplier = filters // x.shape[-1]
        x = np.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
        read = taps(x, shape[:2], strides, pads, dilation=dilation)
        return np.stack([(tap * g).sum(axis=(0, 1, 2)) for tap in read]).reshape(shape)
    columns = window_rows(x, shape[:2], strides, pads, dilation, groups)[0]
    flat_g = by_group(g.reshape(-1, filters), groups)  # (groups, N H' W', F / groups)
    gradient = columns.swapaxes(1, 2) @ flat_g  # (groups, kh kw C / groups, F / groups)
    return gradient.transpose(1, 0, 2).reshape(shape)


def cropped(x, shape):
    return x[:, : shape[1], : shape[2]]


def max_pool_backward(g, x, window, strides, pads):
    """g goes to the first largest element of each window."""
    read = taps(x, window, strides, pads, -np.inf)
    largest = reduce(np.maximum, read)
    left, shares = np.ones(largest.shape, bool), []
    for tap in read:
        chosen = left & (tap == largest)
        left ^= chosen
        shares.append(g * chosen)
    return spread(shares, window, x.shape, strides, pads)


def avg_pool_backward(g, x, window, strides, pads, count=None):
    """g / count goes to every element of each window; padding does not count without `count`."""
    if count is None:
        ones = np.ones((1, *x.shape[1:3], 1), x.dtype)
        count = reduce(np.add, taps(ones, window, strides, pads))
    return spread([g / count] * (window[0] * window[1]), window, x.shape, strides, pads)


def global_max_pool_backward(g, x):
    """g goes to the first largest pixel of each channel."""
    pixels = x.reshape(len(x), -1, x.shape[-1])
    dx = np.zeros_like(pixels)
    np.put_along_axis(dx, pixels.argmax(axis=1, keepdims=True), g[:, None], 1)
    return dx.reshape(x.shape)


def adaptive_avg_pool_backward(g, x, rows, columns):
    """g / count goes to every element of each window, along columns, then along rows."""
    along = np.zeros((*g.shape[:2], *x.shape[2:]), g.dtype)
    for j, (start, stop) in enumerate(columns):
        along[:, :, start:stop] += g[:, :, j : j + 1] / (stop - start)
    dx = np.zeros(x.shape, g.dtype)
    for i, (start, stop) in enumerate(rows):
        dx[:, start:stop] += along[:, i : i + 1] / (stop - start)
    return dx


def slice_backward(g, shape, axis, start):
    """g where it was read, else 0."""
    dx = np.zeros(shape, g.dtype)
    before = (slice(None),) * axis
    dx[(*before, slice(start, start + g.shape[axis]))] = g
    return dx


def gathered(g, shape):
    """g summed over the axes that something of `shape` was stretched along."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, size in enumerate(shape) if size != g.shape[axis])
    return g.sum(axis=stretched, keepdims=True)


def gelu_backward(g, x):
    share = 0.5 * (1 + erf(x * sqrt(0.5)))
    return g * (share + x * (np.exp(-0.5 * x * x) / sqrt(2 * pi)))


def gelu_by_tanh_backward(g, x):
    t = np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x))
    density = 0.5 * (1 - t**2) * (sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x))
    return g * (0.5 * (1 + t) + x * density)


def silu_backward(g, y, x):
    s = sigmoid(x)
    return g * (s + y * (1 - s))


def hardswish_backward(g, x):
    return g * np.where(x < 3, np.where(x > -3, (2 * x + 3) / 6, 0), 1)


def norm_backward(g, x, scale, axes, epsilon):
    """(dx, dscale, dbias) of a norm over the axes."""
    centred = x - x.mean(axis=axes, keepdims=True)
    s = np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + epsilon)
    xhat = centred / s
    dx = standardised_backward(g * scale, xhat, s, axes)
    return dx, rows(g * xhat).sum(axis=0), rows(g).sum(axis=0)


def standardised_backward(g, xhat, s, axes):
    """(g - mean g - xhat mean(g xhat)) / s"""
    correlation = (g * xhat).mean(axis=axes, keepdims=True)
    return (g - g.mean(axis=axes, keepdims=True) - xhat * correlation) / s


def rms_norm_backward(g, x, scale, epsilon):
    """(dx, dscale)"""
    r = np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + epsilon)
    xhat, inner = x / r, g * scale
    dx = (inner - xhat * (inner * xhat).mean(axis=-1, keepdims=True)) / r
    return dx, rows(g * xhat).sum(axis=0)


def group_norm_backward(g, x, scale, groups, epsilon):
    """(dx, dscale, dbias)"""
    apart = (len(x), -1, groups, x.shape[-1] // groups)
    grouped = x.reshape(apart)
    centred = grouped - grouped.mean(axis=(1, 3), keepdims=True)
    s = np.sqrt(np.square(centred).mean(axis=(1, 3), keepdims=True) + epsilon)
    xhat = centred / s
    dx = standardised_backward((g * scale).reshape(apart), xhat, s, (1, 3)).reshape(x.shape)
    return dx, rows(g * xhat.reshape(x.shape)).sum(axis=0), rows(g).sum(axis=0)


def embedding_backward(g, ids, weight):
    """g added up wherever an id was looked up."""
    dw = np.zeros(weight.shape, g.dtype)
    np.add.at(dw, ids.reshape(-1), rows(g))
    return dw


def lstm_backward(g, x, weight, recurrent, bias, h=None, c=None, last=False):
    """(dx, dh and dc where they were given, dW, dU, db), through time."""
    firsts = [h, c]
    h, c = (zeros(x, recurrent) if state is None else state for state in firsts)
    gates, hidden, cells = dense(x, weight, bias), [h], [c]
    for t in range(x.shape[1]):
        i, f, a, o = np.split(gates[:, t], 4, axis=-1)  # views: the loop fills the gates in
        gates[:, t] += hidden[-1] @ recurrent
        for gate in (i, f, o):
            gate[:] = sigmoid(gate)
        a[:] = np.tanh(a)
        cells.append(f * cells[-1] + i * a)
        hidden.append(o * np.tanh(cells[-1]))
    dgates, dh, dc = np.empty_like(gates), 0.0, 0.0
    for t in reversed(range(x.shape[1])):
        i, f, a, o = np.split(gates[:, t], 4, axis=-1)
        dh = dh + arriving(g, t, x.shape[1], last)
        squashed = np.tanh(cells[t + 1])
        dc = dc + dh * o * (1 - squashed * squashed)
        di, df = dc * a * i * (1 - i), dc * cells[t] * f * (1 - f)
        da, do = dc * i * (1 - a * a), dh * squashed * o * (1 - o)
        dgates[:, t] = np.concatenate([di, df, da, do], axis=-1)
        dh, dc = dgates[:, t] @ recurrent.T, dc * f
    before = np.stack(hidden[:-1], axis=1)
    states = [d for d, state in zip((dh, dc), firsts, strict=True) if state is not None]
    learned = summed_products(x, dgates), summed_products(before, dgates)
    return dense(dgates, weight.T), *states, *learned, rows(dgates).sum(axis=0)


def gru_backward(g, x, weight, recurrent, bias, hidden_bias, h=None, last=False):
    """(dx, dh where it was given, dW, dU, db, db_h), through time."""
    gates, hidden = dense(x, weight, bias), [zeros(x, recurrent) if h is None else h]
    memories = []
    for t in range(x.shape[1]):
        z, r, n = np.split(gates[:, t], 3, axis=-1)  # views: the loop fills the gates in
        u_z, u_r, u_n = np.split(hidden[-1] @ recurrent, 3, axis=-1)
        memories.append(u_n + hidden_bias)
        z[:] = sigmoid(z + u_z)
        r[:] = sigmoid(r + u_r)
        n[:] = np.tanh(n + r * memories[-1])
        hidden.append((1 - z) * n + z * hidden[-1])
    from_x, from_h, dh = np.empty_like(gates), np.empty_like(gates), 0.0
    for t in reversed(range(x.shape[1])):
        z, r, n = np.split(gates[:, t], 3, axis=-1)
        dh = dh + arriving(g, t, x.shape[1], last)
        dn = dh * (1 - z) * (1 - n * n)
        dz, dr = dh * (hidden[t] - n) * z * (1 - z), dn * memories[t] * r * (1 - r)
        from_x[:, t] = np.concatenate([dz, dr, dn], axis=-1)
        from_h[:, t] = np.concatenate([dz, dr, dn * r], axis=-1)
        dh = dh * z + from_h[:, t] @ recurrent.T
    before = np.stack(hidden[:-1], axis=1)
    learned = summed_products(x, from_x), summed_products(before, from_h)
    biases = rows(from_x).sum(axis=0), rows(from_h)[:, -len(hidden_bias) :].sum(axis=0)
    return dense(from_x, weight.T), *([] if h is None else [dh]), *learned, *biases


def arriving(g, t, length, last):
    """What the layer's result passes back to step t."""
    if not last:
        return g[:, t]
    return g if t == length - 1 else 0.0


def attention_backward(g, q, k, v, heads, mask=None, causal=False):
    """(dq, dk, dv)"""
    p = attention_weights(q, k, heads, mask, causal)  # (N, heads, T, S)
    qs, ks, vs, gs = (by_head(x, heads) for x in (q, k, v, g))
    dp = gs @ vs.swapaxes(2, 3)
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * (1 / sqrt(qs.shape[-1]))
    shares = ds @ ks, ds.swapaxes(2, 3) @ qs, p.swapaxes(2, 3) @ gs
    return tuple(side_by_side(share) for share in shares)
