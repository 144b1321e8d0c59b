"""How large tensors and their differences are, in float64."""

import numpy as np


def rms(a: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(np.asarray(a, np.float64)))))


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square of a - b."""
    return float(np.sqrt(np.mean(np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)))))


def largest(a: np.ndarray, b: np.ndarray) -> float:
    """Largest |a - b|."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    return float(np.max(np.abs(difference), initial=0.0))


def most(*values: float) -> float:
    """The largest, or NaN where one is: Python's `max` passes over a NaN that is not the first."""
    return float(np.max(values))
