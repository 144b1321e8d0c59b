"""The batch that is timed."""

import numpy as np

from ..data.dataset import Dataset
from ..data.order import epoch_order
from ..protocol.batch import Batch


def timing_batch(dataset: Dataset, batch_size: int, seed: int) -> Batch:
    """The first `batch_size` training examples in epoch 0's order, repeated where
    the data has fewer.

    It brings no dropout masks: where time is taken, the framework draws its own.
    """
    rows = np.resize(epoch_order(len(dataset.y_train), seed, epoch=0), batch_size)
    return Batch(dataset.x_train, dataset.y_train).rows(rows)
