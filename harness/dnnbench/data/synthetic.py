"""Made-up examples of any shape: for speed, not for learning."""

import numpy as np

from ..errors import DataError
from ..spec.data import Synthetic
from ..spec.model import Input
from ..spec.weights import generator
from ..spec.workload import Workload
from .arrays import RawArrays
from .fit import class_count

TEST_SHARE = 5
"""One test example for so many training examples."""


def synthetic(data: Synthetic, workload: Workload) -> RawArrays:
    """Standard normal float inputs and values, uniform labels; integer and boolean inputs are 0 or 1.

    0 and 1, because a model does not say how many ids its integer inputs may take and every table has two.
    """
    tests = max(data.examples // TEST_SHARE, 1)
    try:
        train = _part(workload, data.examples, "train")
        return RawArrays("synthetic", *train, *_part(workload, tests, "test"))
    except (MemoryError, ValueError) as error:
        text = f"data 'synthetic': {data.examples} examples cannot be held in memory ({error}); ask for fewer"
        raise DataError(text) from None


def _part(workload: Workload, n: int, part: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    inputs = {source.name: _input(source, n, part) for source in workload.model.inputs}
    return inputs, _targets(workload, n, part)


def _input(source: Input, n: int, part: str) -> np.ndarray:
    draw, shape = generator(0, f"synthetic:{part}:{source.name}"), (n, *source.shape)
    if source.dtype == "float":
        return draw.standard_normal(shape, np.float32)
    return draw.integers(0, 2, shape, np.int32)


def _targets(workload: Workload, n: int, part: str) -> np.ndarray:
    draw, shape = generator(0, f"synthetic:{part}:targets"), (n, *workload.target.shape)
    if workload.target.kind == "float":
        return draw.standard_normal(shape, np.float32)
    return draw.integers(0, class_count(workload), shape, np.int32)
