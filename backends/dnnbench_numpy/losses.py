"""The value of each loss, as `dnnbench.spec.losses` defines it, and what the model predicts."""

import numpy as np


def cross_entropy(loss, z, labels):
    counted, at_label = counted_labels(loss, labels)
    shifted = z - z.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=-1))
    expected = (1 - loss.smoothing) * shifted[at_label] + loss.smoothing * shifted.mean(axis=-1)
    return (log_sum - expected)[counted].mean()


def counted_labels(loss, labels):
    """(which labels count, index of every label's logit; an ignored one points to class 0)"""
    counted = np.ones(labels.shape, bool) if loss.ignored is None else labels != loss.ignored
    return counted, (*np.indices(labels.shape), np.where(counted, labels, 0))


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
