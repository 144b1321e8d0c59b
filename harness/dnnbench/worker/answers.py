"""One number for what a phase answered, read off the clock: the first and the last visit of a
generation, and fresh processes, must give the same.
"""

from collections.abc import Mapping

import numpy as np

from ..protocol.dtypes import DType

APART: Mapping[str, float] = {"float64": 1e-9, "float32": 1e-5}
"""How far apart honest answers of one program may lie, as a share: sums in another order."""
APART_LOW = 1e-2
"""The same below float32."""


def answer_number(arrays: Mapping[str, np.ndarray]) -> float:
    """Mean magnitudes, added up: each element weighs something else than its neighbours, so that
    rows which change places show, and nothing cancels.
    """
    total = 0.0
    for array in arrays.values():
        magnitudes = np.abs(np.asarray(array, np.float64)).reshape(-1)
        if magnitudes.size:
            weights = 1 + np.arange(magnitudes.size) % 7 / 7
            total += float(np.dot(magnitudes, weights)) / magnitudes.size
    return total


def answers_differ(first: float, last: float, dtype: DType) -> bool:
    """Whether two such numbers are of different answers; NaN is as good as NaN."""
    if np.isnan(first) or np.isnan(last):
        return bool(np.isnan(first) != np.isnan(last))
    if np.isinf(first) or np.isinf(last):
        return first != last
    limit = APART.get(dtype, APART_LOW) * max(abs(first), abs(last))
    return not abs(first - last) <= limit


def changed_fault(phase: str) -> str:
    """That a phase's answer changed while a generation was measured."""
    return f"{phase} gave another answer after the last visit of a generation than before its first"


def process_fault(phase: str) -> str:
    """That a phase's answer is another in a fresh process."""
    return f"{phase} gave another answer in one generation's process than in another's"
