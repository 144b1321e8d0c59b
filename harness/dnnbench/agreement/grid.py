"""Where a check starts: weights and inputs at numbers of the precision that is checked."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..protocol.batch import Batch
from ..protocol.dtypes import DType
from ..protocol.precision import PRECISIONS
from ..protocol.rounding import rounded


def on_grid(arrays: Mapping[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """Float arrays at numbers of a type's products: checks tell of arithmetic, not of the start."""
    products = PRECISIONS[DType(dtype)].products
    on_it = dict(arrays)
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            on_it[name] = rounded(array, products)
    return on_it


def batch_on_grid(batch: Batch, dtype: str) -> Batch:
    """A batch with its inputs there."""
    return replace(batch, inputs=on_grid(batch.inputs, dtype))
