"""Where a check starts: weights and inputs at numbers of the precision that is checked."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..protocol.batch import Batch
from ..protocol.precision import PRECISIONS
from ..protocol.rounding import rounded


def on_grid(arrays: Mapping[str, np.ndarray], study: str) -> dict[str, np.ndarray]:
    """Float arrays at numbers of the study's products, so that its checks tell of arithmetic and not of the start."""
    products = PRECISIONS[study].products
    return {name: rounded(a, products) if a.dtype.kind == "f" else a for name, a in arrays.items()}


def batch_on_grid(batch: Batch, study: str) -> Batch:
    """A batch with its inputs there."""
    return replace(batch, inputs=on_grid(batch.inputs, study))
