"""Functions of one number and their derivatives, where they are more than a line."""

from functools import cache
from math import pi, sqrt

import numpy as np

from .once import once


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)); 0 where exp(-x) is beyond the largest number."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


logistic_once = once(logistic)
"""For what the backward pass reads as well."""


@once
def normal_share(x: np.ndarray, approximation: str) -> np.ndarray:
    """Phi(x), the share of a normal distribution below x, or its tanh form."""
    if approximation == "tanh":
        return 0.5 * (1 + _tanh_inside(x))
    return 0.5 * (1 + _erf()(x * sqrt(0.5)))


def normal_density(x: np.ndarray, approximation: str) -> np.ndarray:
    """dPhi/dx: exp(-x^2 / 2) / sqrt(2 pi), or the derivative of Phi's tanh form."""
    if approximation == "tanh":
        slope = sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x)
        return 0.5 * (1 - _tanh_inside(x) ** 2) * slope
    return np.exp(-0.5 * x * x) / sqrt(2 * pi)


@once
def _tanh_inside(x):
    """tanh of what stands inside Phi's tanh form."""
    return np.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x))


@once
def exponentials(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(z - max z, exp of it, the sum of that, which stays as 1) over the last axis."""
    shifted = z - z.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    return shifted, e, e.sum(axis=-1, keepdims=True)


@cache
def _erf():
    """Brought when first wanted: the import costs 0.2 s of CPU time, a third of a start."""
    from scipy.special import erf

    return erf
