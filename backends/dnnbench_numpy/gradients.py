"""The gradient of each op: given g = dL/dy, what are dL/dx and dL/dparameters?

Each function takes (op, g, y, *inputs, **parameters) and returns (functions that give dL/dx for each input, dL/dparameters by
role). Input gradients are functions so that the first layer's, which nobody needs, is never computed.
"""

from math import prod

import numpy as np

from . import ops
from .choices import first_largest, positive
from .products import matmul
from .windows import pad, places, unpad


def dense(op, g, y, x, weight, bias=None):
    """dx = g W^T,  dW = x^T g,  db = sum g"""
    rows, g_rows = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
    learned = {"weight": matmul(rows.T, g_rows)}
    return (lambda: matmul(g, weight.T),), learned | ({} if bias is None else {"bias": g_rows.sum(axis=0)})


def conv2d(op, g, y, x, weight, bias=None):
    """dW = columns^T g,  db = sum g,  dx = g W^T added up where windows overlap"""
    g_rows = g.reshape(-1, op.filters)
    learned = {"weight": matmul(ops.columns(op, x).T, g_rows).reshape(weight.shape)}

    def input_gradient():
        pads = op.pads(ops.types(x))
        total = np.zeros_like(pad(x, pads))
        per_column = matmul(g_rows, weight.reshape(-1, op.filters).T)
        per_tap = per_column.reshape(*g.shape[:3], -1, x.shape[-1])  # (N, H', W', kh kw, C)
        for i, place in enumerate(places(op.kernel, op.strides, g.shape[1:3], op.dilation)):
            total[place] += per_tap[:, :, :, i]
        return unpad(total, pads)

    return (input_gradient,), learned | ({} if bias is None else {"bias": g_rows.sum(axis=0)})


def _spread(op, x, g_per_tap):
    """Add each tap's gradient to the elements it was read from."""
    pads = op.pads(ops.types(x))
    total = np.zeros_like(pad(x, pads))
    out = op.output(ops.types(x)).shape
    for place, g in zip(places(op.window, op.steps, out), g_per_tap, strict=True):
        total[place] += g
    return unpad(total, pads)


def max_pool2d(op, g, y, x):
    """g goes to the first largest element of each window"""
    return (lambda: _spread(op, x, [g * mask for mask in first_largest(ops.pool_taps(op, x, -np.inf))]),), {}


def avg_pool2d(op, g, y, x):
    """g / count goes to every element of each window"""
    shared = g / ops.window_counts(op, x)
    return (lambda: _spread(op, x, [shared] * prod(op.window)),), {}


def global_avg_pool(op, g, y, x):
    """dx = g / (H W)"""
    return (lambda: np.broadcast_to(g[:, None, None, :] / prod(x.shape[1:3]), x.shape),), {}


def flatten(op, g, y, x):
    """dx = g in x's shape"""
    return (lambda: g.reshape(x.shape),), {}


def relu(op, g, y, x):
    """dx = g where x > 0"""
    return (lambda: g * positive(x),), {}


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
    """dx_i = g, summed over the batch for a learned constant"""
    return tuple((lambda: g) if x.ndim == g.ndim else (lambda: g.sum(axis=0)) for x in inputs), {}


def dropout(op, g, y, x, mask):
    """dx = g m / (1 - rate)"""
    return (lambda: g * mask / (1 - op.rate),), {}


def batch_norm(op, g, y, x, scale, bias):
    """With xhat = (x - mu) / s over m elements a channel: dx = scale / s (g - mean g - xhat mean(g xhat))"""
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    centred = x - mean
    s = np.sqrt(np.square(centred).mean(axis=axes) + op.epsilon)
    xhat = centred / s
    learned = {"scale": (g * xhat).sum(axis=axes), "bias": g.sum(axis=axes)}
    count = x.size // x.shape[-1]
    return (lambda: scale / s * (g - learned["bias"] / count - xhat * (learned["scale"] / count)),), learned


def cross_entropy(loss, z, labels):
    """dz = (softmax(z) - onehot) / number of labels"""
    dz = ops.softmax(loss, z)
    at_label = (*np.indices(labels.shape), labels)
    dz[at_label] -= 1
    return dz / labels.size


def mse(loss, z, targets):
    """dz = 2 (z - t) / number of elements"""
    return 2 * (z - targets) / z.size
