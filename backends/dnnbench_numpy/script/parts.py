"""Functions that scripts of NumPy hold as they stand here."""

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


def cross_entropy_backward(z, labels, smoothing=0.0, ignored=None):
    """(softmax(z) - q) / number of labels that count"""
    counted, at_label = counted_labels(labels, ignored)
    q = np.full_like(z, smoothing / z.shape[-1])
    q[at_label] += 1 - smoothing
    return (softmax(z) - q) * counted[..., None] / int(np.count_nonzero(counted))


def bce_with_logits(z, targets):
    return (np.maximum(z, 0) - z * targets + np.log1p(np.exp(-np.abs(z)))).mean()


def rows(x):
    """All positions below each other."""
    return x.reshape(-1, x.shape[-1])


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


def in_order(gradients, w):
    """A gradient for every parameter, zeros where none flows."""
    return {name: gradients.get(name, np.zeros_like(p)) for name, p in w.items()}


def clipped(gradients, largest):
    """A global norm of at most `largest`."""
    norm = np.sqrt(sum(np.square(g).sum() for g in gradients.values()))
    share = largest / max(norm, largest)
    return {name: g * share for name, g in gradients.items()}


def decayed(gradients, w, decay):
    return {name: g + decay * w[name] for name, g in gradients.items()}


def sgd(w, gradients, rate):
    for name, p in w.items():
        p -= rate * gradients[name]


def momentum(w, gradients, slots, rate, share, nesterov=False):
    for name, p in w.items():
        b, g = slots["velocity"][name], gradients[name]
        b *= share
        b += g
        p -= rate * (g + share * b if nesterov else b)


def rmsprop(w, gradients, slots, rate, decay, epsilon):
    for name, p in w.items():
        v, g = slots["mean_square"][name], gradients[name]
        v *= decay
        v += (1 - decay) * g * g
        p -= rate * g / (np.sqrt(v) + epsilon)


def adam(w, gradients, slots, steps, rate, b1, b2, epsilon, decay=None):
    """decay: AdamW's."""
    for name, p in w.items():
        m, v, g = slots["first_moment"][name], slots["second_moment"][name], gradients[name]
        if decay is not None:
            p *= 1 - rate * decay
        m *= b1
        m += (1 - b1) * g
        v *= b2
        v += (1 - b2) * g * g
        m_hat = m / (1 - p.dtype.type(b1) ** steps)
        v_hat = v / (1 - p.dtype.type(b2) ** steps)
        p -= rate * m_hat / (np.sqrt(v_hat) + epsilon)


def zeros_like(w):
    return {name: np.zeros_like(p) for name, p in w.items()}


def copied(arrays):
    return {name: array.copy() for name, array in arrays.items()}
