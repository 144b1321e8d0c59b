"""Every op, element by element, as the sums and functions of its definition, in mpmath's 60 digits.

Tensors are NumPy arrays of mpf. No formula is taken from dnnbench:
variances come from mean squares, sigmoids from tanh, padding from asking whether an index exists.
"""

from collections.abc import Callable
from math import ceil, floor, prod

import numpy as np
from mpmath import mp, mpf

mp.dps = 60


def tensor(shape, element: Callable) -> np.ndarray:
    """An array whose element at (i, j, ...) is element(i, j, ...)."""
    y = np.empty(shape, object)
    for index in np.ndindex(*shape):
        y[index] = element(*index)
    return y


def each(x, f):
    return tensor(x.shape, lambda *i: f(x[i]))


def total(numbers):
    return mp.fsum(numbers)


def mean_of(numbers):
    numbers = list(numbers)
    return total(numbers) / len(numbers)


def dense(a, x, weight, bias=None):
    w = weight.T if a.get("transposed") else weight
    b = bias if bias is not None else [mpf(0)] * w.shape[1]
    n = range(x.shape[-1])
    return tensor(
        (*x.shape[:-1], w.shape[1]),
        lambda *i: b[i[-1]] + total(x[(*i[:-1], k)] * w[k, i[-1]] for k in n),
    )


def matmul(a, x, y):
    if a.get("transpose_b"):
        y = np.swapaxes(y, -1, -2)
    k = range(x.shape[-1])
    shape = (*x.shape[:-1], y.shape[-1])
    return tensor(shape, lambda *i: total(x[(*i[:-1], m)] * y[(*i[:-2], m, i[-1])] for m in k))


def at(x, n, i, j, c):
    """A pixel, or None outside the image."""
    return x[n, i, j, c] if 0 <= i < x.shape[1] and 0 <= j < x.shape[2] else None


def window(a, kernel, x):
    """(strides, first index minus padding, dilation, output size) of each spatial axis."""
    strides = a.get("strides") or (kernel if "window" in a else (1, 1))
    dilation = a.get("dilation", (1, 1))
    padding = a.get("padding", "valid" if "window" in a else "same")
    axes = []
    for axis, (n, k, s, d) in enumerate(zip(x.shape[1:3], kernel, strides, dilation, strict=True)):
        span = (k - 1) * d + 1
        if padding == "same":
            missing = max((ceil(n / s) - 1) * s + span - n, 0)
            before, after = floor(missing / 2), ceil(missing / 2)
        else:
            before, after = (0, 0) if padding == "valid" else padding[axis]
        axes.append((s, before, d, floor((n + before + after - span) / s) + 1))
    return axes


def taps(a, kernel, x, n, i, j, c):
    """(u, v, the pixel that place (u, v) of window (i, j) lies on, or None)."""
    (s, lo, d, _), (s2, lo2, d2, _) = window(a, kernel, x)
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            yield u, v, at(x, n, i * s + u * d - lo, j * s2 + v * d2 - lo2, c)


def conv2d(a, x, weight, bias=None):
    kernel, groups, filters = a["kernel"], a.get("groups", 1), a["filters"]
    reads, gives = x.shape[3] // groups, filters // groups
    size = [axis[3] for axis in window(a, kernel, x)]

    def element(n, i, j, f):
        products = (
            pixel * weight[u, v, c, f]
            for c in range(reads)
            for u, v, pixel in taps(a, kernel, x, n, i, j, f // gives * reads + c)
            if pixel is not None
        )
        return total(products) + (bias[f] if bias is not None else 0)

    return tensor((len(x), *size, filters), element)


def conv1d(a, x, weight, bias=None):
    """An image one pixel high."""
    flat = {
        "kernel": (1, a["kernel"]),
        "strides": (1, a.get("strides", 1)),
        "dilation": (1, a.get("dilation", 1)),
    }
    padding = a.get("padding", "same")
    flat["padding"] = padding if isinstance(padding, str) else ((0, 0), padding)
    return conv2d({**a, **flat}, x[:, None], weight[None], bias)[:, 0]


def conv_transpose2d(a, x, weight, bias=None):
    kernel, strides = a["kernel"], a.get("strides", (1, 1))
    dilation, extra = a.get("dilation", (1, 1)), a.get("output_padding", (0, 0))
    pads = ((0, 0), (0, 0)) if a.get("padding", "valid") == "valid" else a["padding"]
    axes = zip(x.shape[1:3], strides, pads, kernel, dilation, extra, strict=True)
    size = [(n - 1) * s - sum(p) + (k - 1) * d + 1 + e for n, s, p, k, d, e in axes]

    def hits(place, axis):
        """(i, u): inputs i that tap u throws to this place."""
        for i in range(x.shape[1 + axis]):
            for u in range(kernel[axis]):
                if i * strides[axis] + u * dilation[axis] - pads[axis][0] == place:
                    yield i, u

    def element(n, p, q, f):
        channels = range(x.shape[3])
        thrown = (
            x[n, i, j, c] * weight[u, v, f, c]
            for i, u in hits(p, 0)
            for j, v in hits(q, 1)
            for c in channels
        )
        return total(thrown) + (bias[f] if bias is not None else 0)

    return tensor((len(x), *size, a["filters"]), element)


def max_pool2d(a, x):
    size = [axis[3] for axis in window(a, a["window"], x)]

    def inside(*place):
        return [p for _, _, p in taps(a, a["window"], x, *place) if p is not None]

    return tensor((len(x), *size, x.shape[3]), lambda *place: max(inside(*place)))


def avg_pool2d(a, x):
    size = [axis[3] for axis in window(a, a["window"], x)]

    def element(*place):
        inside = [p for _, _, p in taps(a, a["window"], x, *place) if p is not None]
        return total(inside) / (prod(a["window"]) if a.get("count_include_pad") else len(inside))

    return tensor((len(x), *size, x.shape[3]), element)


def global_avg_pool(a, x):
    return tensor((len(x), x.shape[3]), lambda n, c: mean_of(x[n, :, :, c].flat))


def global_max_pool(a, x):
    return tensor((len(x), x.shape[3]), lambda n, c: max(x[n, :, :, c].flat))


def adaptive_avg_pool2d(a, x):
    def span(i, n, size):
        return slice(floor(mpf(i * n) / size), ceil(mpf((i + 1) * n) / size))

    h, w = a["size"]

    def element(n, i, j, c):
        return mean_of(x[n, span(i, x.shape[1], h), span(j, x.shape[2], w), c].flat)

    return tensor((len(x), h, w, x.shape[3]), element)


def flatten(a, x):
    """Element (h, w, c) stands at (h W + w) C + c."""
    rest = x.shape[1:]
    return tensor((len(x), prod(rest)), lambda n, k: x[(n, *digits_of(k, rest))])


def digits_of(k, sizes):
    """k written with a digit for each axis, the last the fastest."""
    found = []
    for size in reversed(sizes):
        k, digit = divmod(k, size)
        found.insert(0, digit)
    return tuple(found)


def reshape(a, x):
    rest, shape = x.shape[1:], tuple(a["shape"])

    def position(index):
        k = 0
        for i, size in zip(index, shape, strict=True):
            k = k * size + i
        return k

    return tensor((len(x), *shape), lambda n, *i: x[(n, *digits_of(position(i), rest))])


def transpose(a, x):
    """Axis i of y is axis axes[i] of x."""
    axes = a["axes"]
    shape = [x.shape[1 + axis] for axis in axes]
    return tensor(
        (len(x), *shape), lambda n, *i: x[(n, *(i[axes.index(k)] for k in range(len(axes))))]
    )


def slice_(a, x):
    axis, start = a.get("axis", 0) % (x.ndim - 1), a.get("start", 0)
    stop = a.get("stop") or x.shape[1 + axis]
    shape = [stop - start if k == axis + 1 else size for k, size in enumerate(x.shape)]
    return tensor(
        shape,
        lambda *i: x[tuple(k + start if place == axis + 1 else k for place, k in enumerate(i))],
    )


def concat(a, *xs):
    axis = a.get("axis", -1) % (xs[0].ndim - 1) + 1
    owners = [(x, k) for x in xs for k in range(x.shape[axis])]
    shape = [len(owners) if k == axis else n for k, n in enumerate(xs[0].shape)]

    def element(*i):
        x, k = owners[i[axis]]
        return x[(*i[:axis], k, *i[axis + 1 :])]

    return tensor(shape, element)


def mean(a, x):
    axes = [axis % (x.ndim - 1) + 1 for axis in a.get("axes", [0])]
    left = [k for k in range(x.ndim) if k not in axes]

    def element(*i):
        place = [slice(None)] * x.ndim
        for k, index in zip(left, i, strict=True):
            place[k] = index
        return mean_of(x[tuple(place)].flat)

    return tensor([x.shape[k] for k in left], element)


def relu(a, x):
    return each(x, lambda v: (v + abs(v)) / 2)


def relu6(a, x):
    return each(x, lambda v: min(max(v, mpf(0)), mpf(6)))


def leaky_relu(a, x):
    return each(x, lambda v: v if v > 0 else mpf(a.get("slope", 0.01)) * v)


def elu(a, x):
    return each(x, lambda v: v if v > 0 else mpf(a.get("alpha", 1)) * mp.expm1(v))


def gelu(a, x):
    if a.get("approximation") == "tanh":
        return each(x, lambda v: v * logistic(2 * mp.sqrt(2 / mp.pi) * (v + mpf(0.044715) * v**3)))
    return each(x, lambda v: v * mp.ncdf(v))


def logistic(v):
    return (1 + mp.tanh(v / 2)) / 2


def silu(a, x):
    return each(x, lambda v: v * logistic(v))


def hardswish(a, x):
    return each(x, lambda v: v * min(max((v + 3) / 6, mpf(0)), mpf(1)))


def sigmoid(a, x):
    return each(x, logistic)


def tanh(a, x):
    return each(x, lambda v: 1 - 2 / (mp.exp(2 * v) + 1))


def softmax(a, x):
    """1 / sum_j exp(x_j - x_i)"""
    last = range(x.shape[-1])
    return tensor(x.shape, lambda *i: 1 / total(mp.exp(x[(*i[:-1], j)] - x[i]) for j in last))


def stretched(x, shape):
    """x as a function of y's index: axes are matched from the end, an axis of one always at 0."""
    return lambda i: x[
        tuple(0 if n == 1 else k for n, k in zip(x.shape, i[len(i) - x.ndim :], strict=True))
    ]


def add(a, *xs):
    reads = [stretched(x, xs[0].shape) for x in xs]
    return tensor(xs[0].shape, lambda *i: total(read(i) for read in reads))


def mul(a, *xs):
    reads = [stretched(x, xs[0].shape) for x in xs]
    return tensor(xs[0].shape, lambda *i: mp.fprod(read(i) for read in reads))


def dropout(a, x, mask):
    return tensor(x.shape, lambda *i: x[i] / (1 - mpf(a.get("rate", 0.5))) if mask[i] else mpf(0))


def stochastic_depth(a, x, mask):
    return tensor(
        x.shape, lambda *i: x[i] / (1 - mpf(a.get("rate", 0.5))) if mask[i[0]] else mpf(0)
    )


def moments(numbers):
    """Mean, and mean square less the mean's square."""
    numbers = list(numbers)
    mu = mean_of(numbers)
    return mu, mean_of(v * v for v in numbers) - mu * mu


def standardised(a, x, scale, bias, population):
    """population(index) gives the elements that an element is standardised with."""
    epsilon = mpf(a.get("epsilon", 1e-5))

    def element(*i):
        mu, v = moments(population(i))
        return scale[i[-1]] * (x[i] - mu) / mp.sqrt(v + epsilon) + bias[i[-1]]

    return tensor(x.shape, element)


def batch_norm(a, x, scale, bias, mean, variance):
    epsilon = mpf(a.get("epsilon", 1e-5))

    def element(*i):
        c = i[-1]
        return scale[c] * (x[i] - mean[c]) / mp.sqrt(variance[c] + epsilon) + bias[c]

    return tensor(x.shape, element)


def batch_norm_training(a, x, scale, bias, mean, variance):
    """(value, new running statistics)"""
    old, channels = mpf(a.get("momentum", 0.9)), range(x.shape[-1])
    found = [moments(x[..., c].flat) for c in channels]
    m = mpf(x.size // x.shape[-1])
    correction = m / (m - 1) if a.get("unbiased") else 1
    state = {
        "mean": np.array([old * mean[c] + (1 - old) * found[c][0] for c in channels]),
        "variance": np.array(
            [old * variance[c] + (1 - old) * found[c][1] * correction for c in channels]
        ),
    }
    return batch_norm(a, x, scale, bias, [mu for mu, _ in found], [v for _, v in found]), state


def layer_norm(a, x, scale, bias):
    return standardised(a, x, scale, bias, lambda i: x[i[:-1]].flat)


def group_norm(a, x, scale, bias):
    wide = x.shape[-1] // a["groups"]

    def group(i):
        first = i[-1] // wide * wide
        return x[i[0]][..., first : first + wide].flat

    return standardised(a, x, scale, bias, group)


def rms_norm(a, x, scale):
    epsilon = mpf(a.get("epsilon", 1e-6))

    def element(*i):
        square = mean_of(v * v for v in x[i[:-1]].flat)
        return scale[i[-1]] * x[i] / mp.sqrt(square + epsilon)

    return tensor(x.shape, element)


def embedding(a, ids, weight):
    return tensor((*ids.shape, weight.shape[1]), lambda *i: weight[ids[i[:-1]], i[-1]])


def position_embedding(a, x, weight):
    return tensor(x.shape, lambda n, t, d: x[n, t, d] + weight[a.get("offset", 0) + t, d])


def affine(x, w, b, j):
    return total(x[k] * w[k, j] for k in range(len(x))) + b[j]


def steps(a, x, first, advance):
    """Run `advance(x_t, *state)` over each sequence.

    The first part of the state is what is given out.
    """
    ys = []
    for n in range(len(x)):
        state = [list(part[n]) for part in first] if first else None
        outputs = []
        for t in range(x.shape[1]):
            state = advance(x[n, t], *state) if state else advance(x[n, t])
            outputs.append(state[0])
        ys.append(outputs if a.get("sequences", True) else outputs[-1])
    return np.array(ys, dtype=object)


def lstm(a, x, *first, weight, recurrent, bias):
    width = a["units"]
    nothing = [mpf(0)] * width

    def advance(x_t, h=nothing, c=nothing):
        def gate(number, j):
            column = number * width + j
            return affine(x_t, weight, bias, column) + total(
                h[k] * recurrent[k, column] for k in range(width)
            )

        kept = [
            logistic(gate(1, j)) * c[j] + logistic(gate(0, j)) * mp.tanh(gate(2, j))
            for j in range(width)
        ]
        return [logistic(gate(3, j)) * mp.tanh(kept[j]) for j in range(width)], kept

    return steps(a, x, first, advance)


def gru(a, x, *first, weight, recurrent, bias, hidden_bias):
    width = a["units"]
    nothing = [mpf(0)] * width

    def advance(x_t, h=nothing):
        def of_state(number, j):
            return total(h[k] * recurrent[k, number * width + j] for k in range(width))

        def of_input(number, j):
            return affine(x_t, weight, bias, number * width + j)

        new = []
        for j in range(width):
            z, r = (logistic(of_input(gate, j) + of_state(gate, j)) for gate in (0, 1))
            candidate = mp.tanh(of_input(2, j) + r * (of_state(2, j) + hidden_bias[j]))
            new.append((1 - z) * candidate + z * h[j])
        return (new,)

    return steps(a, x, first, advance)


def attention(a, q, k, v, mask=None):
    width = q.shape[2] // a["heads"]
    behind = k.shape[1] - q.shape[1]

    def seen(n, t, s):
        allowed = mask is None or (mask[n, s] if mask.ndim == 2 else mask[n, t, s])
        return allowed and not (a.get("causal") and s > behind + t)

    def element(n, t, d):
        head = range(d // width * width, d // width * width + width)
        keys = [s for s in range(k.shape[1]) if seen(n, t, s)]
        weights = [
            mp.exp(total(q[n, t, e] * k[n, s, e] for e in head) / mp.sqrt(width)) for s in keys
        ]
        return total(w * v[n, s, d] for w, s in zip(weights, keys, strict=True)) / total(weights)

    return tensor(q.shape, element)
