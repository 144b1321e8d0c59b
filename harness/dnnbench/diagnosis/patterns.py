"""What an error looks like, whatever the op: a factor, a place, an order, another tensor."""

from collections.abc import Iterator, Mapping

import numpy as np

from ..agreement.allowances import UNIT
from ..agreement.deviation import rms, rmse
from ..agreement.keys import TensorKey
from ..protocol.rounding import rounded
from .wrong_tensor import MOST_LEFT, WrongTensor

LOWER = {"bfloat16": "bfloat16 (8 bits)", "tf32": "11 bits", "float32": "float32"}
"""Types whose numbers are told from float64's, the coarsest first."""
FEW = 4
"""So few numbers may be a lower type's by chance: 1, 0.5 and the like."""
SAMPLE = 16
"""Errors of so many elements show whether they follow the values, as rounding does not."""


def patterns(
    wrong: WrongTensor, examples: int, reference: Mapping[TensorKey, np.ndarray]
) -> Iterator[str]:
    """Every description that fits, the most telling first."""
    if wrong.a.shape != wrong.r.shape:
        yield "another shape"
        return
    if wrong.r.any() and not wrong.a.any():
        yield "left out (zeros)"
    yield from _factor(wrong, examples)
    yield from _lower_type(wrong)
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
    if words := _factor_in_words(wrong, factor, examples):
        yield f"multiplied by {words}"


MOST_DIGITS, SHORT = 16, 4


def _factor_in_words(wrong: WrongTensor, factor: float, examples: int) -> str:
    factors = {-1.0: "-1 (its sign)"}
    if examples > 1:
        factors[examples] = f"{examples}, the number of examples"
        factors[1 / examples] = f"1/{examples}, examples counted twice"
    for value, words in factors.items():
        if wrong.is_explained_by(value * wrong.r):
            return words
    # Some factor gives any single number: of one, only a short factor says something.
    most = MOST_DIGITS if wrong.a.size > 1 else SHORT
    texts = (f"{factor:.{digits}g}" for digits in range(1, most))
    return next((text for text in texts if wrong.is_explained_by(float(text) * wrong.r)), "")


def _lower_type(wrong: WrongTensor) -> Iterator[str]:
    """Every number is one of a lower type, the right ones are not, and it lies as near as that type
    rounds; or all lie as far off as float32 arithmetic leaves
    them, and not on one side of the right ones.
    """
    if wrong.a.size >= FEW and wrong.dtype == "float64":
        for type, words in LOWER.items():
            near = wrong.error <= ROUNDINGS * UNIT[type] * rms(wrong.r)
            if near and _all_of(type, wrong.a) and not _all_of(type, wrong.r):
                yield f"{words} inside float64"
                return
        if _rounded_in_float32(wrong):
            yield "float32 inside float64"


ROUNDINGS = 16
"""So many roundings a lower type's arithmetic is mostly off."""


def _all_of(type: str, array: np.ndarray) -> bool:
    """Whether every number is one of a type."""
    return np.array_equal(rounded(array.astype(np.float32), type), array)


def _rounded_in_float32(wrong: WrongTensor) -> bool:
    """Within float32's room, of its size, and without a direction."""
    room = wrong.in_single
    if room is None or wrong.a.size < SAMPLE:
        return False
    error = wrong.a - wrong.r
    towards = abs(float(np.sum(error * wrong.r))) / (rms(error) * rms(wrong.r) * error.size)
    of_its_size = LEAST * room.rmse <= wrong.error <= room.rmse
    return of_its_size and towards <= SIDES


LEAST = 1e-3
"""Share of float32's room that its own rounding takes at least."""
SIDES = 0.5
"""Largest correlation of rounding with the values: rows that are divided by one rounded sum err
together, and an error that follows the values is near 1.
"""


def _place(wrong: WrongTensor) -> Iterator[str]:
    """Few elements wrong, or those of one border alone."""
    error = np.abs(wrong.a - wrong.r)
    off = error > max(wrong.room.rmse, 1e-3 * float(np.max(error)))
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
    return left <= min(wrong.room.rmse, MOST_LEFT * wrong.error)


def _other_tensor(wrong: WrongTensor, reference: Mapping[TensorKey, np.ndarray]) -> Iterator[str]:
    """The value of another tensor of the same kind."""
    for key, other in reference.items():
        alike = key != wrong.key and key.family == wrong.key.family
        if alike and wrong.is_explained_by(np.asarray(other, np.float64)):
            yield f"that of {key.name}"
