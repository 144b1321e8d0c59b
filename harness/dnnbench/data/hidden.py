"""Which positions of a sequence a masked-language model is asked for."""

import numpy as np

from ..spec.weights import generator

SHARE = 0.15
"""Of an example's positions.   Source: Devlin et al. 2018, arXiv 1810.04805."""


def hidden_positions(seed: int, name: str, lengths: np.ndarray, width: int) -> np.ndarray:
    """(n, width) bool: SHARE of the first `lengths` (n,) positions of each row, one at least.

    From Philox's raw words, which NumPy promises for ever.
    """
    n = len(lengths)
    words = generator(seed, name).bit_generator.random_raw(n * width).reshape(n, width)
    outside = np.arange(width) >= lengths[:, None]  # (n, width)
    # a random place in the row for each position, those outside behind all others
    place = np.lexsort((words, outside), axis=-1).argsort(axis=-1)
    count = np.maximum(np.rint(SHARE * lengths), 1)  # (n,)
    return place < count[:, None]
