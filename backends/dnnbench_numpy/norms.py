"""Standardising over some axes, which three normalisations do over different ones.

And its gradient.
"""

import numpy as np

from . import products
from .once import once

SUMMED = 8
"""A mean of N equal values, added one after the other, is off by about N / 8 roundings:
docs/agreement.md, rule 10.
"""


@once
def moments(x: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(mean, biased variance) over the axes, which stay as 1.

    The variance in a second pass over x - mean.
    """
    mean = x.mean(axis=axes, keepdims=True)
    variance = np.square(x - mean).mean(axis=axes, keepdims=True)
    return _leaning(mean, variance, x.size // mean.size), variance


def _leaning(mean: np.ndarray, variance: np.ndarray, count: int) -> np.ndarray:
    """In a study, the mean of equal values off by its own rounding, up or down.

    As it is anywhere else.

    What is left of x - mean is 0 in exact arithmetic, and in kernels how each of them rounds.
    """
    if not products.leaning():
        return mean
    u = np.finfo(mean.dtype).eps / 2
    equal = variance <= np.square(count * u * mean)
    leaned = mean + products.leaning() * u * (1 + count / SUMMED) * np.abs(mean)
    return np.where(equal, leaned, mean)


@once
def standardised(
    x: np.ndarray, axes: tuple[int, ...], epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """(xhat, s): xhat = (x - mean) / s, s = sqrt(variance + epsilon)."""
    mean, variance = moments(x, axes)
    s = np.sqrt(variance + epsilon)
    return (x - mean) / s, s


def standardised_gradient(
    g: np.ndarray, xhat: np.ndarray, s: np.ndarray, axes: tuple[int, ...]
) -> np.ndarray:
    """dx = (g - mean g - xhat mean(g xhat)) / s for g = dL/dxhat."""
    mean = moments(g, axes)[0] if products.leaning() else g.mean(axis=axes, keepdims=True)
    correlation = (g * xhat).mean(axis=axes, keepdims=True)
    return (g - mean - xhat * correlation) / s


@once
def root_mean_square(x: np.ndarray, epsilon: float) -> np.ndarray:
    """sqrt(mean(x^2) + epsilon) over the last axis, which stays as 1."""
    return np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + epsilon)


def all_but_last(x: np.ndarray) -> tuple[int, ...]:
    """The axes that a channel's statistics are taken over."""
    return tuple(range(x.ndim - 1))


def in_groups(x: np.ndarray, groups: int) -> np.ndarray:
    """(N, ..., C) -> (N, positions, groups, C / groups);
    group_norm standardises over axes 1 and 3.
    """
    return x.reshape(len(x), -1, groups, x.shape[-1] // groups)
