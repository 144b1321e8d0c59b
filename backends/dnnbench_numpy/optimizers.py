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
        p -= optimizer.learning_rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + optimizer.epsilon)
