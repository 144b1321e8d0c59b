"""One step of each optimizer, as `dnnbench.spec.optimizers` defines it: changes the arrays it is given.

parameters, gradients: arrays by name   slots: arrays by slot and name   t: number of this step, from 1
"""

import numpy as np


def sgd(optimizer, parameters, gradients, slots, t):
    for name, p in parameters.items():
        p -= optimizer.learning_rate * gradients[name]


def momentum(optimizer, parameters, gradients, slots, t):
    for name, p in parameters.items():
        b = slots["velocity"][name]
        b *= optimizer.momentum
        b += gradients[name]
        p -= optimizer.learning_rate * b


def adam(optimizer, parameters, gradients, slots, t):
    b1, b2 = optimizer.beta1, optimizer.beta2
    for name, p in parameters.items():
        m, v, g = slots["first_moment"][name], slots["second_moment"][name], gradients[name]
        m *= b1
        m += (1 - b1) * g
        v *= b2
        v += (1 - b2) * g * g
        m_hat, v_hat = m / _corrected(b1, t, p.dtype), v / _corrected(b2, t, p.dtype)
        p -= optimizer.learning_rate * m_hat / (np.sqrt(v_hat) + optimizer.epsilon)


def _corrected(b, t, dtype):
    """1 - b^t in the parameters' own type, where it cancels: in float32, rounding that is honest (optax has it too)."""
    return 1 - dtype.type(b) ** t
