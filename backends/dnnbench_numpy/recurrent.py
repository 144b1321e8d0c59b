"""Recurrent layers step by step, forwards and backwards.

All that does not wait for the step before is one product.

States are kept for every step, the first before step 1: (N, T + 1, H).
"""

import numpy as np

from . import products
from .activations import logistic
from .once import once
from .rounding import stored


@once
def lstm_steps(op, x, states, weight, recurrent, bias):
    """(gates i, f, g, o after their functions (N, T, 4H), hidden states, cell states)."""
    gates = products.matmul(x, weight) + bias
    hidden, cells = (_started(op, x, states[i : i + 1]) for i in range(2))
    for t in range(x.shape[1]):
        i, f, g, o = _parts(gates[:, t], 4)  # views: the loop fills the gates in
        gates[:, t] += products.matmul(hidden[:, t], recurrent)
        for gate in (i, f, o):
            gate[:] = logistic(gate)
        g[:] = np.tanh(g)
        cells[:, t + 1] = stored(f * cells[:, t] + i * g)
        hidden[:, t + 1] = stored(o * np.tanh(cells[:, t + 1]))
    return gates, hidden, cells


def lstm_backwards(op, dy, steps, recurrent):
    """(dL/d of the gates before their functions, dL/d of the first hidden and cell state)."""
    gates, _, cells = steps
    dgates = np.empty_like(gates)
    dh, dc = 0.0, 0.0
    for t in reversed(range(gates.shape[1])):
        i, f, g, o = _parts(gates[:, t], 4)  # (N, H) each
        dh = dh + _arriving(op, dy, t, gates.shape[1])
        squashed = np.tanh(cells[:, t + 1])
        dc = stored(dc + dh * o * (1 - squashed * squashed))
        # before the gates' functions: a logistic's derivative is y (1 - y), that of tanh 1 - y^2
        di = dc * g * i * (1 - i)
        df = dc * cells[:, t] * f * (1 - f)
        dg = dc * i * (1 - g * g)
        do = dh * squashed * o * (1 - o)
        dgates[:, t] = np.concatenate([di, df, dg, do], axis=-1)
        dh = products.matmul(dgates[:, t], recurrent.T)
        dc = stored(dc * f)
    return dgates, dh, dc


@once
def gru_steps(op, x, states, weight, recurrent, bias, hidden_bias):
    """(gates z, r, n after their functions (N, T, 3H), hidden states, u_n + b_h of every
    step (N, T, H)).
    """
    gates = products.matmul(x, weight) + bias
    hidden = _started(op, x, states)
    memories = np.empty_like(hidden[:, 1:])
    for t in range(x.shape[1]):
        z, r, n = _parts(gates[:, t], 3)  # views: the loop fills the gates in
        u_z, u_r, u_n = _parts(products.matmul(hidden[:, t], recurrent), 3)
        memories[:, t] = u_n + hidden_bias
        z[:] = logistic(z + u_z)
        r[:] = logistic(r + u_r)
        n[:] = np.tanh(n + r * memories[:, t])
        hidden[:, t + 1] = stored((1 - z) * n + z * hidden[:, t])
    return gates, hidden, memories


def gru_backwards(op, dy, steps, recurrent):
    """(dL/d of x W + b, dL/d of h U, both (N, T, 3H), dL/d of the first state)."""
    gates, hidden, memories = steps
    from_x, from_h = np.empty_like(gates), np.empty_like(gates)
    dh = 0.0
    for t in reversed(range(gates.shape[1])):
        z, r, n = _parts(gates[:, t], 3)
        dh = dh + _arriving(op, dy, t, gates.shape[1])
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (hidden[:, t] - n) * z * (1 - z)
        dr = dn * memories[:, t] * r * (1 - r)
        from_x[:, t] = np.concatenate([dz, dr, dn], axis=-1)
        from_h[:, t] = np.concatenate([dz, dr, dn * r], axis=-1)
        dh = stored(dh * z + products.matmul(from_h[:, t], recurrent.T))
    return from_x, from_h, dh


def _started(op, x, states):
    """States of every step, the first one given or zero, the others yet to come."""
    kept = np.zeros((len(x), x.shape[1] + 1, op.units), x.dtype)
    for first in states:
        kept[:, 0] = first
    return kept


def _arriving(op, dy, t, length):
    """What the layer's result passes back to step t."""
    if op.sequences:
        return dy[:, t]
    return dy if t == length - 1 else 0.0


def _parts(x, count):
    """Gates that stand side by side, as views."""
    return np.split(x, count, axis=-1)
