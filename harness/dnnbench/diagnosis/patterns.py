"""What an error looks like, whatever the op: a factor, a place, an order, another tensor."""

from collections.abc import Iterator, Mapping

import numpy as np

from ..agreement.deviation import rms, rmse
from ..agreement.keys import TensorKey
from .wrong_tensor import EXPLAINED, WrongTensor

SINGLE = (2.0**-27, 2.0**-19)
"""Relative rms error that float32 arithmetic leaves in a float64 result."""


def patterns(
    wrong: WrongTensor, examples: int, reference: Mapping[TensorKey, np.ndarray]
) -> Iterator[str]:
    """Every description that fits, the most telling first."""
    if wrong.a.shape != wrong.r.shape:
        yield "another shape"
        return
    if wrong.r.any() and not wrong.a.any():
        yield "left out (zeros)"
    if wrong.dtype == "float64" and SINGLE[0] <= wrong.error / (rms(wrong.r) or 1.0) <= SINGLE[1]:
        yield "float32 inside float64"
    yield from _factor(wrong, examples)
    yield from _place(wrong)
    square = wrong.r.ndim == 2 and wrong.r.shape[0] == wrong.r.shape[1]
    if square and wrong.is_explained_by(wrong.r.T):
        yield "transposed"
    if _reordered(wrong):
        yield "the right numbers in another order"
    yield from _other_tensor(wrong, reference)


def _factor(wrong: WrongTensor, examples: int) -> Iterator[str]:
    size = np.sum(wrong.r * wrong.r)
    factor = float(np.sum(wrong.a * wrong.r) / size) if size else 0.0
    if factor == 0 or not wrong.is_explained_by(factor * wrong.r):
        return
    yield f"multiplied by {_factor_in_words(factor, examples)}"


def _factor_in_words(factor: float, examples: int) -> str:
    factors = {-1.0: "-1 (its sign)"}
    if examples > 1:
        factors[examples] = f"{examples}, the number of examples"
        factors[1 / examples] = f"1/{examples}, examples counted twice"
    for value, text in factors.items():
        if abs(factor / value - 1) < EXPLAINED:
            return text
    return f"{factor:.6g}"


def _place(wrong: WrongTensor) -> Iterator[str]:
    """Few elements wrong, or those of one border alone."""
    error = np.abs(wrong.a - wrong.r)
    off = error > max(wrong.allowed, 1e-3 * float(np.max(error)))
    if off.sum() == 1 < off.size:
        yield "a single element"
    for axis, size in enumerate(off.shape):
        places = np.unique(np.nonzero(off)[axis])
        at_border = len(places) == 1 and places[0] in (0, size - 1)
        if size > 2 and at_border and not off.all():
            border = "first" if places[0] == 0 else "last"
            yield f"the {border} place of axis {axis} alone"


def _reordered(wrong: WrongTensor) -> bool:
    if wrong.a.size <= 1:
        return False
    left = rmse(np.sort(wrong.a, axis=None), np.sort(wrong.r, axis=None))
    return left <= max(2 * wrong.allowed, EXPLAINED * wrong.error)


def _other_tensor(wrong: WrongTensor, reference: Mapping[TensorKey, np.ndarray]) -> Iterator[str]:
    """The value of another tensor of the same kind."""
    for key, other in reference.items():
        alike = key != wrong.key and key.family == wrong.key.family
        if alike and wrong.is_explained_by(np.asarray(other, np.float64)):
            yield f"that of {key.name}"
