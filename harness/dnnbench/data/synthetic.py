"""Made-up examples of any shape: for speed, not for learning."""

import numpy as np

from ..errors import DataError
from ..spec.data import Synthetic
from ..spec.losses import BceWithLogits, CrossEntropy
from ..spec.model import Input
from ..spec.weights import generator
from ..spec.workload import Workload
from .arrays import RawArrays
from .fit import class_count
from .hidden import hidden_positions

TEST_SHARE = 5
"""One test example for so many training examples."""


def synthetic(data: Synthetic, workload: Workload) -> RawArrays:
    """Standard normal float inputs and values.

    Ids below the size of their table, labels and yes-or-no targets evenly drawn.

    Boolean inputs are True up to a place drawn evenly in each row. Where the loss ignores a label,
    15 % of an example's labels count. Integer inputs without a table are 0 or 1.
    """
    test_count = max(data.examples // TEST_SHARE, 1)
    try:
        x_train, y_train = _part(workload, data.examples, "train")
        x_test, y_test = _part(workload, test_count, "test")
    except (MemoryError, ValueError) as error:
        raise DataError(
            f"data 'synthetic': {data.examples} examples cannot be held in memory ({error}); "
            "ask for fewer"
        ) from None
    return RawArrays("synthetic", x_train, y_train, x_test, y_test)


def _part(workload: Workload, n: int, part: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    sizes = workload.model.vocabularies
    inputs = {}
    for source in workload.model.inputs:
        inputs[source.name] = _input(source, n, part, sizes.get(source.name, 2))
    return inputs, _targets(workload, n, part)


def _input(source: Input, n: int, part: str, vocabulary: int) -> np.ndarray:
    draw = generator(0, f"synthetic:{part}:{source.name}")
    shape = (n, *source.shape)
    if source.dtype == "float":
        return draw.standard_normal(shape, np.float32)
    if source.dtype == "bool":
        lengths = draw.integers(1, shape[-1] + 1, (*shape[:-1], 1))
        return np.arange(shape[-1]) < lengths
    return draw.integers(0, vocabulary, shape, np.int32)


def _targets(workload: Workload, n: int, part: str) -> np.ndarray:
    draw = generator(0, f"synthetic:{part}:targets")
    shape = (n, *workload.target.shape)
    match workload.task.loss:
        case CrossEntropy(ignored=ignored):
            labels = draw.integers(0, class_count(workload), shape, np.int32)
            return _some_ignored(labels, ignored, part)
        case BceWithLogits():
            return draw.integers(0, 2, shape).astype(np.float32)
    return draw.standard_normal(shape, np.float32)


def _some_ignored(labels: np.ndarray, ignored: int | None, part: str) -> np.ndarray:
    if ignored is None:
        return labels
    width = labels[0].size
    widths = np.full(len(labels), width)
    counted = hidden_positions(0, f"synthetic:{part}:counted", widths, width)  # (n, width)
    return np.where(counted.reshape(labels.shape), labels, np.int32(ignored))
