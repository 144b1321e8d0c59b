"""The value of each loss, as `dnnbench.spec.losses` defines it, and what the model predicts."""

import numpy as np


def cross_entropy(loss, z, labels):
    shifted = z - z.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=-1))
    at_label = np.take_along_axis(shifted, labels[..., None].astype(np.intp), axis=-1)[..., 0]
    return (log_sum - at_label).mean()


def mse(loss, z, targets):
    return np.square(z - targets).mean()


def argmax(z):
    return z.argmax(axis=-1)


def identity(z):
    return z
