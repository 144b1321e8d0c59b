"""Which examples are kept for the test: a seeded share, the same on every machine."""

import numpy as np

from .order import permutation


def stratified(labels: np.ndarray, fraction: float, seed: int, name: str) -> np.ndarray:
    """(n,) bool, True for the test part: of each class its share, at least one and never all."""
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        test[rows[drawn(len(rows), fraction, seed, f"{name}:{label}")]] = True
    return test


def drawn(n: int, fraction: float, seed: int, name: str) -> np.ndarray:
    """Indices of the test part of n examples, at least one and never all."""
    share = min(max(round(fraction * n), 1), n - 1)
    return permutation(seed, name, n)[:share]
