"""The gradient of each op: given g = dL/dy, what are dL/dx and dL/dparameters?

Each function takes (op, g, y, *inputs, **parameters) and returns (functions that give dL/dx
for each input, dL/dparameters by role). Input gradients are functions so that the first layer's,
which nothing reads, is never computed. Ids and masks come last and have none.
"""

from math import prod

import numpy as np

from . import convolution, losses, ops, products
from .activations import logistic, logistic_once, normal_density, normal_share
from .attention import attention_weights, by_head, scale_of, side_by_side
from .choices import above, below, first_largest, place_of_largest
from .norms import all_but_last, in_groups, root_mean_square, standardised, standardised_gradient
from .recurrent import gru_backwards, gru_steps, lstm_backwards, lstm_steps
from .windows import spread, taps, types


def dense(op, g, y, x, weight, bias=None):
    """dx = g W^T,  dW = x^T g,  db = sum g"""
    learned = {"weight": _summed_products(g, x) if op.transposed else _summed_products(x, g)}
    back = weight if op.transposed else weight.T
    return (lambda: products.matmul(g, back),), learned | _bias_gradient(g, bias)


def _rows(x):
    """All positions below each other."""
    return x.reshape(-1, x.shape[-1])


def _summed_products(a, b):
    """sum over all positions of a^T b.      a: (..., n)   b: (..., m)   returns: (n, m)"""
    return products.matmul(_rows(a).T, _rows(b))


def _bias_gradient(g, bias):
    return {} if bias is None else {"bias": _rows(g).sum(axis=0)}


def matmul(op, g, y, a, b):
    """da = g b^T,  db = a^T g;  for y = a b^T: da = g b,  db = g^T a"""

    def swapped(x):
        return x.swapaxes(-1, -2)

    if op.transpose_b:
        return (lambda: products.matmul(g, b), lambda: products.matmul(swapped(g), a)), {}
    return (lambda: products.matmul(g, swapped(b)), lambda: products.matmul(swapped(a), g)), {}


def conv1d(op, g, y, x, weight, bias=None):
    """conv2d's, over images one pixel high"""
    image, as_rows = convolution.one_pixel_high(x), convolution.one_pixel_high(g)
    at = convolution.along_time(op, x)
    learned = {"weight": convolution.weight_gradient(as_rows, image, at, (1, *weight.shape))[0]}

    def input_gradient():
        return convolution.image_gradient(as_rows, weight[None], at, image.shape)[:, 0]

    return (input_gradient,), learned | _bias_gradient(g, bias)


def conv2d(op, g, y, x, weight, bias=None):
    """dW = windows^T g,  db = sum g,  dx = g W^T added up where windows overlap"""
    at = convolution.over_images(op, x)
    learned = {"weight": convolution.weight_gradient(g, x, at, weight.shape)}
    return (lambda: convolution.image_gradient(g, weight, at, x.shape),), learned | _bias_gradient(
        g, bias
    )


def conv_transpose2d(op, g, y, x, weight, bias=None):
    """y is a convolution's dx, so dx is that convolution of g, and dW its dW with image
    and gradient exchanged
    """
    at = convolution.transposed(op)
    learned = {"weight": convolution.weight_gradient(x, g, at, weight.shape)}
    return (lambda: convolution.correlate(g, weight, at),), learned | _bias_gradient(g, bias)


def max_pool2d(op, g, y, x):
    """g goes to the first largest element of each window"""
    at = ops.pool_geometry(op, x)

    def input_gradient():
        chosen = first_largest(taps(x, at, -np.inf), y)
        return spread((g * mask for mask in chosen), at, x.shape)

    return (input_gradient,), {}


def avg_pool2d(op, g, y, x):
    """g / count goes to every element of each window"""
    shared = g / ops.window_counts(op, x)
    return (lambda: spread([shared] * prod(op.window), ops.pool_geometry(op, x), x.shape),), {}


def global_avg_pool(op, g, y, x):
    """dx = g / (H W)"""
    return (lambda: np.broadcast_to(g[:, None, None, :] / prod(x.shape[1:3]), x.shape),), {}


def global_max_pool(op, g, y, x):
    """g goes to the first largest pixel of each channel"""

    def input_gradient():
        pixels = x.reshape(len(x), -1, x.shape[-1])
        dx = np.zeros_like(pixels)
        np.put_along_axis(dx, place_of_largest(pixels, 1), g[:, None], 1)
        return dx.reshape(x.shape)

    return (input_gradient,), {}


def adaptive_avg_pool2d(op, g, y, x):
    """g / count goes to every element of each window, along columns and then along rows"""

    def input_gradient():
        rows, columns = op.windows(types(x))
        along = np.zeros((*g.shape[:2], *x.shape[2:]), g.dtype)
        for j, (start, stop) in enumerate(columns):
            along[:, :, start:stop] += g[:, :, j : j + 1] / (stop - start)
        dx = np.zeros(x.shape, g.dtype)
        for i, (start, stop) in enumerate(rows):
            dx[:, start:stop] += along[:, i : i + 1] / (stop - start)
        return dx

    return (input_gradient,), {}


def flatten(op, g, y, x):
    """dx = g in x's shape"""
    return (lambda: g.reshape(x.shape),), {}


def reshape(op, g, y, x):
    """dx = g in x's shape"""
    return (lambda: g.reshape(x.shape),), {}


def transpose(op, g, y, x):
    """dx = g with the axes put back"""
    return (lambda: g.transpose(0, *(axis + 1 for axis in np.argsort(op.axes))),), {}


def slice(op, g, y, x):
    """dx = g where it was read, else 0"""

    def input_gradient():
        dx = np.zeros(x.shape, g.dtype)
        dx[ops.part_of_axis(op, x)] = g
        return dx

    return (input_gradient,), {}


def concat(op, g, y, *inputs):
    """dx_i = its part of g, summed over the batch for a learned constant"""
    axis = ops.batched_axis(op.axis, g.ndim)
    ends = np.cumsum([x.shape[axis - g.ndim] for x in inputs])
    parts = np.split(g, ends[:-1], axis=axis)
    return tuple(
        lambda x=x, part=part: _gathered(part, x.shape)
        for x, part in zip(inputs, parts, strict=True)
    ), {}


def _gathered(g, shape):
    """The gradient of what was stretched from `shape`:
    g summed over the axes that it stretched along.
    """
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, size in enumerate(shape) if size != g.shape[axis])
    return g.sum(axis=stretched, keepdims=True)


def mean(op, g, y, x):
    """dx = g / count for every element of each mean"""
    axes = tuple(ops.batched_axis(axis, x.ndim) for axis in op.axes)
    return (
        lambda: np.broadcast_to(
            np.expand_dims(g, axes) / prod(x.shape[axis] for axis in axes), x.shape
        ),
    ), {}


def relu(op, g, y, x):
    """dx = g where x > 0"""
    return (lambda: g * above(x),), {}


def relu6(op, g, y, x):
    """dx = g where 0 < x < 6"""
    return (lambda: g * (above(x) & below(x, 6)),), {}


def leaky_relu(op, g, y, x):
    """dx = g where x > 0, else slope g"""
    return (lambda: np.where(above(x), g, op.slope * g),), {}


def elu(op, g, y, x):
    """dx = g where x > 0, else g alpha exp(x) = g (y + alpha)"""
    return (lambda: g * np.where(x > 0, 1, y + op.alpha),), {}


def gelu(op, g, y, x):
    """dx = g (Phi(x) + x Phi'(x))"""
    return (
        lambda: g * (normal_share(x, op.approximation) + x * normal_density(x, op.approximation)),
    ), {}


def silu(op, g, y, x):
    """dx = g (s + y (1 - s)),  s = 1 / (1 + exp(-x))"""

    def input_gradient():
        s = logistic_once(x)
        return g * (s + y * (1 - s))

    return (input_gradient,), {}


def hardswish(op, g, y, x):
    """dx = 0 where x <= -3,  g where x >= 3,  else g (2 x + 3) / 6"""
    return (lambda: g * np.where(below(x, 3), np.where(above(x, -3), (2 * x + 3) / 6, 0), 1),), {}


def sigmoid(op, g, y, x):
    """dx = g y (1 - y)"""
    return (lambda: g * y * (1 - y),), {}


def tanh(op, g, y, x):
    """dx = g (1 - y^2)"""
    return (lambda: g * (1 - y * y),), {}


def softmax(op, g, y, x):
    """dx = y (g - sum_j g_j y_j)"""
    return (lambda: y * (g - (g * y).sum(axis=-1, keepdims=True)),), {}


def add(op, g, y, *inputs):
    """dx_i = g, summed over the axes that x_i was stretched along"""
    return tuple(lambda x=x: _gathered(g, x.shape) for x in inputs), {}


def mul(op, g, y, *inputs):
    """dx_i = g times the other inputs, summed over the axes that x_i was stretched along"""

    def gradient(i):
        return _gathered(ops.mul(op, g, *inputs[:i], *inputs[i + 1 :]), inputs[i].shape)

    return tuple(lambda i=i: gradient(i) for i in range(len(inputs))), {}


def dropout(op, g, y, x, mask):
    """dx = g m / (1 - rate)"""
    return (lambda: ops.thinned(op, g, mask),), {}


def stochastic_depth(op, g, y, x, mask):
    """dx = g m / (1 - rate)"""
    return (lambda: ops.thinned(op, g, mask),), {}


def batch_norm(op, g, y, x, scale, bias):
    """With xhat = (x - mean) / s: dx = scale / s (g - mean g - xhat mean(g xhat)),
    means over all axes but the last
    """
    return _norm(op, g, x, scale, all_but_last(x))


def layer_norm(op, g, y, x, scale, bias):
    """As batch_norm's, means over the last axis"""
    return _norm(op, g, x, scale, (-1,))


def _norm(op, g, x, scale, axes):
    xhat, s = standardised(x, axes, op.epsilon)
    return (lambda: standardised_gradient(g * scale, xhat, s, axes),), _affine_gradients(g, xhat)


def _affine_gradients(g, xhat):
    """dscale = sum g xhat,  dbias = sum g"""
    return {"scale": _rows(g * xhat).sum(axis=0), "bias": _rows(g).sum(axis=0)}


def rms_norm(op, g, y, x, scale):
    """With xhat = x / r: dx = (g scale - xhat mean(g scale xhat)) / r"""
    r = root_mean_square(x, op.epsilon)
    xhat, inner = x / r, g * scale

    def input_gradient():
        return (inner - xhat * (inner * xhat).mean(axis=-1, keepdims=True)) / r

    return (input_gradient,), {"scale": _rows(g * xhat).sum(axis=0)}


def group_norm(op, g, y, x, scale, bias):
    """As batch_norm's, means over the positions and channels of a group"""
    axes = (1, 3)
    xhat, s = standardised(in_groups(x, op.groups), axes, op.epsilon)

    def input_gradient():
        return standardised_gradient(in_groups(g * scale, op.groups), xhat, s, axes).reshape(
            x.shape
        )

    return (input_gradient,), _affine_gradients(g, xhat.reshape(x.shape))


def embedding(op, g, y, ids, weight):
    """dW[i] = sum of g wherever id i was looked up"""
    dw = np.zeros(weight.shape, g.dtype)
    np.add.at(dw, ids.reshape(-1), _rows(g))
    return (), {"weight": dw}


def position_embedding(op, g, y, x, weight):
    """dx = g,  dW[offset + t] = sum of g at place t"""
    dw = np.zeros(weight.shape, g.dtype)
    dw[op.offset : op.offset + x.shape[1]] = g.sum(axis=0)
    return (lambda: g,), {"weight": dw}


def lstm(op, g, y, x, *states, weight, recurrent, bias):
    """Through time: every gate's gradient passes W to x, and U to the step before"""
    steps = lstm_steps(op, x, states, weight, recurrent, bias)
    gates, *first = lstm_backwards(op, g, steps, recurrent)
    return _recurrent(x, steps[1], gates, gates, first[: len(states)], weight)


def gru(op, g, y, x, *states, weight, recurrent, bias, hidden_bias):
    """Through time: every gate's gradient passes W to x, and U, behind the reset gate,
    to the step before
    """
    steps = gru_steps(op, x, states, weight, recurrent, bias, hidden_bias)
    from_x, from_h, first = gru_backwards(op, g, steps, recurrent)
    inputs, learned = _recurrent(x, steps[1], from_x, from_h, [first][: len(states)], weight)
    return inputs, learned | {"hidden_bias": _rows(from_h)[:, -op.units :].sum(axis=0)}


def _recurrent(x, hidden, from_x, from_h, first, weight):
    """dx = a W^T,
    dW = x^T a,
    db = sum a,
    dU = h^T u for the gradients a of x W + b and u of h U
    """
    learned = {
        "weight": _summed_products(x, from_x),
        "recurrent": _summed_products(hidden[:, :-1], from_h),
        "bias": _rows(from_x).sum(axis=0),
    }
    return (
        lambda: products.matmul(from_x, weight.T),
        *(lambda state=state: state for state in first),
    ), learned


def attention(op, g, y, q, k, v, mask=None):
    """dV = P^T g;  dS = P (g V^T - sum g V^T P).

    dQ = dS K / sqrt(d),
    dK = dS^T Q / sqrt(d), head by head
    """
    p = attention_weights(op, q, k, mask)
    by_heads, scale = by_head(g, op.heads), scale_of(op, q)
    dp = products.matmul(by_heads, by_head(v, op.heads).swapaxes(2, 3))
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
    return (
        lambda: side_by_side(products.matmul(ds, by_head(k, op.heads))),
        lambda: side_by_side(products.matmul(ds.swapaxes(2, 3), by_head(q, op.heads))),
        lambda: side_by_side(products.matmul(p.swapaxes(2, 3), by_heads)),
    ), {}


def cross_entropy(loss, z, labels):
    """dz = (softmax(z) - q) / number of labels that count, 0 at the others"""
    counted, at_label = losses.counted_labels(loss, labels)
    dz = ops.softmax(loss, z)
    if loss.smoothing:
        dz -= loss.smoothing / z.shape[-1]
    dz[at_label] -= 1 - loss.smoothing
    if loss.ignored is not None:
        dz *= counted[..., None]
    dz /= int(np.count_nonzero(counted))
    return dz


def bce_with_logits(loss, z, targets):
    """dz = (1 / (1 + exp(-z)) - t) / number of elements"""
    return (logistic(z) - targets) / z.size


def mse(loss, z, targets):
    """dz = 2 (z - t) / number of elements"""
    return 2 * (z - targets) / z.size
