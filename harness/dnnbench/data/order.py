"""The order in which an epoch visits the examples, the same for every backend."""

from collections.abc import Iterator

import numpy as np

from ..spec.weights import generator


def permutation(seed: int, name: str, n: int) -> np.ndarray:
    """A seeded permutation of range(n), (n,) int64.

    Sorts Philox's raw words: NumPy promises those for ever, its own shuffles only for one version.
    """
    words = generator(seed, name).bit_generator.random_raw(n)
    return np.argsort(words, kind="stable")


def epoch_order(n: int, seed: int, epoch: int) -> np.ndarray:
    """Every index below n once, (n,) int64; each epoch has an order of its own."""
    return permutation(seed, f"epoch:{epoch}", n)


def batches(order: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Slices of at most `batch_size` indices; the last, smaller one is trained on too."""
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
