"""One step of each optimizer, as `dnnbench.spec.optimizers` defines it:
changes the arrays it is given.

parameters, gradients: arrays by name
slots: arrays by slot and name
t: number of this step, from 1
"""

import numpy as np

from .products import squared_norm


def _clipped(optimizer, gradients):
    """g clip_norm / max(norm, clip_norm), norm over all gradients together."""
    if optimizer.clip_norm is None:
        return gradients
    norm = np.sqrt(sum(squared_norm(g) for g in gradients.values()))
    share = optimizer.clip_norm / max(norm, optimizer.clip_norm)
    return {name: g * share for name, g in gradients.items()}


def _decayed(optimizer, parameters, gradients):
    """(name, p, g + weight_decay p) for each parameter, after clipping."""
    gradients, decay = _clipped(optimizer, gradients), optimizer.weight_decay
    for name, p in parameters.items():
        g = gradients[name]
        yield name, p, g + decay * p if decay else g


def sgd(optimizer, parameters, gradients, slots, t):
    rate = optimizer.rate(t)
    for _, p, g in _decayed(optimizer, parameters, gradients):
        p -= rate * g


def momentum(optimizer, parameters, gradients, slots, t):
    rate, share, velocity = optimizer.rate(t), optimizer.momentum, slots["velocity"]
    for name, p, g in _decayed(optimizer, parameters, gradients):
        b = velocity[name]
        b *= share
        b += g
        p -= rate * b


def nesterov(optimizer, parameters, gradients, slots, t):
    for name, p, g in _decayed(optimizer, parameters, gradients):
        b = slots["velocity"][name]
        b *= optimizer.momentum
        b += g
        p -= optimizer.rate(t) * (g + optimizer.momentum * b)


def rmsprop(optimizer, parameters, gradients, slots, t):
    for name, p, g in _decayed(optimizer, parameters, gradients):
        v = slots["mean_square"][name]
        v *= optimizer.decay
        v += (1 - optimizer.decay) * g * g
        p -= optimizer.rate(t) * g / (np.sqrt(v) + optimizer.epsilon)


def adam(optimizer, parameters, gradients, slots, t):
    for name, p, g in _decayed(optimizer, parameters, gradients):
        _adam_step(optimizer, name, p, g, slots, t)


def adamw(optimizer, parameters, gradients, slots, t):
    gradients = _clipped(optimizer, gradients)
    for name, p in parameters.items():
        p *= 1 - optimizer.rate(t) * optimizer.weight_decay
        _adam_step(optimizer, name, p, gradients[name], slots, t)


def _adam_step(optimizer, name, p, g, slots, t):
    b1, b2 = optimizer.beta1, optimizer.beta2
    m, v = slots["first_moment"][name], slots["second_moment"][name]
    m *= b1
    m += (1 - b1) * g
    v *= b2
    v += (1 - b2) * g * g
    m_hat, v_hat = m / _corrected(b1, t, p.dtype), v / _corrected(b2, t, p.dtype)
    p -= optimizer.rate(t) * m_hat / (np.sqrt(v_hat) + optimizer.epsilon)


def _corrected(b, t, dtype):
    """1 - b^t in the parameters' own type, where it cancels: in float32, rounding that is honest
    (optax has it too).
    """
    return 1 - dtype.type(b) ** t
