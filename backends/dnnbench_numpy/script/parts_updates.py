"""Functions that scripts of NumPy hold as they stand here: updates of weights."""

import numpy as np


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
