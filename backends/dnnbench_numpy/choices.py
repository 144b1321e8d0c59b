"""Where a network chooses (relu's sign, a pool's largest element), and how a tie within rounding
may fall the other way.

In a lower precision an input that ties within rounding may choose otherwise, honestly.
The agreement check learns how much that matters by running the float64 reference with every such
choice flipped. An exact tie in float64 is one of equal computations (a constant background),
which ties in every precision: it stays as it is.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce

import numpy as np

TIE = 1e-5
"""A choice is flipped when it hangs on less than this share of the tensor's root mean square,
or of the threshold.
"""
_flipping = ContextVar("flipping", default=False)


@contextmanager
def flipped():
    """Flip every close choice inside the block."""
    token = _flipping.set(True)
    try:
        yield
    finally:
        _flipping.reset(token)


def above(x: np.ndarray, threshold: float = 0.0) -> np.ndarray:
    """x > threshold, elementwise."""
    chosen = x > threshold
    if not _flipping.get():
        return chosen
    return chosen ^ (
        (x != threshold) & (np.abs(x - threshold) <= TIE * max(_rms(x), abs(threshold)))
    )


def below(x: np.ndarray, threshold: float) -> np.ndarray:
    """x < threshold, elementwise."""
    return above(-x, -threshold)


def rectified(x: np.ndarray) -> np.ndarray:
    """max(x, 0), elementwise; NaN stays NaN."""
    return x * above(x) if _flipping.get() else np.maximum(x, 0)


def place_of_largest(x: np.ndarray, axis: int) -> np.ndarray:
    """Index of the first largest element along an axis, which stays as 1."""
    first = x.argmax(axis=axis, keepdims=True)
    if not _flipping.get():
        return first
    best = np.take_along_axis(x, first, axis)
    others = x.copy()
    np.put_along_axis(others, first, -np.inf, axis)
    gap = best - others.max(axis=axis, keepdims=True)
    return np.where(
        (gap > 0) & (gap <= TIE * _rms(best)), others.argmax(axis=axis, keepdims=True), first
    )


def largest(taps: list[np.ndarray]) -> np.ndarray:
    """Elementwise maximum over arrays of one shape."""
    if _flipping.get():
        stack = np.stack(taps)
        return np.take_along_axis(stack, place_of_largest(stack, 0), 0)[0]
    return reduce(np.maximum, taps)


def first_largest(taps: list[np.ndarray], best: np.ndarray) -> list[np.ndarray]:
    """For each array where it is the first that holds the maximum:
    exactly one is true at every place.

    best: `largest` of them
    """
    if _flipping.get():
        place = place_of_largest(np.stack(taps), 0)[0]
        return [place == i for i in range(len(taps))]
    left, chosen = np.ones(best.shape, bool), []
    for tap in taps:
        chosen.append(left & (tap == best))
        left ^= chosen[-1]
    return chosen


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))
