"""Recurrent layers as scans over time.

Compiled alone where the rest runs op by op, as each is one op.
"""

import jax
import jax.numpy as jnp
from jax import lax

from .spread import biased


@jax.jit
def lstm_states(gates, h, c, recurrent):
    """Every state h.
    gates: (T, N, 4H) from the inputs
    h, c: (N, H)
    recurrent: (H, 4H)
    returns: (T, N, H)
    """

    def step(carried, a):
        h, c = carried
        i, f, g, o = jnp.split(a + h @ recurrent, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    return lax.scan(step, (h, c), gates)[1]


@jax.jit
def gru_states(gates, h, recurrent, hidden_bias):
    """Every state h.
    gates: (T, N, 3H) from the inputs
    h: (N, H)
    recurrent: (H, 3H)
    returns: (T, N, H)
    """

    def step(h, a):
        z, r, n = jnp.split(a, 3, axis=-1)
        uz, ur, un = jnp.split(h @ recurrent, 3, axis=-1)
        z, r = jax.nn.sigmoid(z + uz), jax.nn.sigmoid(r + ur)
        h = (1 - z) * jnp.tanh(n + r * (un + hidden_bias)) + z * h
        return h, h

    return lax.scan(step, h, gates)[1]


def first_state(op, x):
    """Zeros.      x: (N, T, I)   returns: (N, H)"""
    return jnp.zeros((len(x), op.units), x.dtype)


def gates_in_time(x, weight, bias):
    """What inputs bring to the gates, time first.      x: (N, T, I)   returns: (T, N, gates H)"""
    return biased(jnp.swapaxes(x, 0, 1) @ weight, bias)


def sequence_or_last(op, states):
    """states: (T, N, H)   returns: (N, T, H), or (N, H) without `sequences`"""
    return jnp.swapaxes(states, 0, 1) if op.sequences else states[-1]
