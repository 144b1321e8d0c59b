"""Where a network chooses (relu's sign, a pool's largest element), and how a tie within rounding may fall the other way.

In a lower precision an input that ties within rounding may choose otherwise, honestly. The agreement check learns how much
that matters by running the float64 reference with every such choice flipped. An exact tie in float64 is one of equal
computations (a constant background), which ties in every precision: it stays as it is.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce

import numpy as np

TIE = 1e-5
"""A choice is flipped when it hangs on less than this share of the tensor's root mean square."""
_flipping = ContextVar("flipping", default=False)


@contextmanager
def flipped():
    """Flip every close choice inside the block."""
    token = _flipping.set(True)
    try:
        yield
    finally:
        _flipping.reset(token)


def positive(x: np.ndarray) -> np.ndarray:
    """x > 0, elementwise."""
    chosen = x > 0
    return chosen ^ ((x != 0) & (np.abs(x) <= TIE * _rms(x))) if _flipping.get() else chosen


def rectified(x: np.ndarray) -> np.ndarray:
    """max(x, 0), elementwise; NaN stays NaN."""
    return x * positive(x) if _flipping.get() else np.maximum(x, 0)


def largest(taps: list[np.ndarray]) -> np.ndarray:
    """Elementwise maximum over arrays of one shape."""
    if _flipping.get():
        return reduce(np.add, [np.where(mask, tap, 0) for mask, tap in zip(first_largest(taps), taps, strict=True)])
    return reduce(np.maximum, taps)


def first_largest(taps: list[np.ndarray]) -> list[np.ndarray]:
    """For each array where it is the first that holds the maximum: exactly one is true at every place."""
    if _flipping.get():
        return _flipped_choice(np.stack(taps))
    best = largest(taps)
    left, chosen = np.ones(best.shape, bool), []
    for tap in taps:
        chosen.append(left & (tap == best))
        left ^= chosen[-1]
    return chosen


def _flipped_choice(taps: np.ndarray) -> list[np.ndarray]:
    first, best = taps.argmax(axis=0), taps.max(axis=0)
    others = np.where(np.arange(len(taps)).reshape(-1, *[1] * best.ndim) == first, -np.inf, taps)
    gap = best - others.max(axis=0)
    first = np.where((gap > 0) & (gap <= TIE * _rms(best)), others.argmax(axis=0), first)
    return [first == i for i in range(len(taps))]


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))
