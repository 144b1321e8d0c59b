"""The value of each loss, as `dnnbench.spec.losses` defines it, and what the model predicts."""

from functools import lru_cache

import numpy as np

from .activations import exponentials


def cross_entropy(loss, z, labels):
    counted, at_label = counted_labels(loss, labels)
    shifted, _, total = exponentials(z)
    expected = shifted[at_label]
    if loss.smoothing:
        expected = (1 - loss.smoothing) * expected + loss.smoothing * shifted.mean(axis=-1)
    return (np.log(total[..., 0]) - expected)[counted].mean()


def counted_labels(loss, labels):
    """(which labels count, index of every label's logit; an ignored one points to class 0)"""
    places = _places(labels.shape)
    if loss.ignored is None:
        return np.ones(labels.shape, bool), (*places, labels)
    counted = labels != loss.ignored
    return counted, (*places, np.where(counted, labels, 0))


@lru_cache(maxsize=256)
def _places(shape):
    """Where each label stands, an array an axis, which stretch to the shape."""
    return np.indices(shape, sparse=True)


def bce_with_logits(loss, z, targets):
    return (np.maximum(z, 0) - z * targets + np.log1p(np.exp(-np.abs(z)))).mean()


def mse(loss, z, targets):
    return np.square(z - targets).mean()


def argmax(z):
    return z.argmax(axis=-1)


def positive(z):
    return (z > 0).astype(np.int64)


def identity(z):
    return z
