"""Standardising over some axes, which three normalisations do over different ones; and its gradient."""

import numpy as np


def moments(x: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(mean, biased variance) over the axes, which stay as 1; the variance in a second pass over x - mean."""
    mean = x.mean(axis=axes, keepdims=True)
    return mean, np.square(x - mean).mean(axis=axes, keepdims=True)


def standardised(x: np.ndarray, axes: tuple[int, ...], epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """(xhat, s): xhat = (x - mean) / s, s = sqrt(variance + epsilon)."""
    mean, variance = moments(x, axes)
    s = np.sqrt(variance + epsilon)
    return (x - mean) / s, s


def standardised_gradient(g: np.ndarray, xhat: np.ndarray, s: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """dx = (g - mean g - xhat mean(g xhat)) / s for g = dL/dxhat."""
    return (g - g.mean(axis=axes, keepdims=True) - xhat * (g * xhat).mean(axis=axes, keepdims=True)) / s


def root_mean_square(x: np.ndarray, epsilon: float) -> np.ndarray:
    """sqrt(mean(x^2) + epsilon) over the last axis, which stays as 1."""
    return np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + epsilon)


def all_but_last(x: np.ndarray) -> tuple[int, ...]:
    """The axes that a channel's statistics are taken over."""
    return tuple(range(x.ndim - 1))


def in_groups(x: np.ndarray, groups: int) -> np.ndarray:
    """(N, ..., C) -> (N, positions, groups, C / groups); group_norm standardises over axes 1 and 3."""
    return x.reshape(len(x), -1, groups, x.shape[-1] // groups)
