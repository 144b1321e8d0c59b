"""scikit-learn's digits: 1797 real grey images of 8x8 pixels that ship inside its wheel."""

import numpy as np

from ..errors import DataError
from ..spec.data import Digits
from .arrays import RawArrays
from .order import permutation

BRIGHTEST = 16


def read_digits(data: Digits, input_name: str) -> RawArrays:
    """Pixels / 16, (n, 64) in [0, 1], labels 0 to 9; in a stratified split.

    Source: Alpaydin & Kaynak 1998, UCI optical recognition of handwritten digits, test part.
    """
    pixels, labels = _load()
    test = _test_rows(labels, data)
    x = (pixels / BRIGHTEST).astype(np.float32)
    return RawArrays("digits", {input_name: x[~test]}, labels[~test], {input_name: x[test]}, labels[test])


def _load() -> tuple[np.ndarray, np.ndarray]:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError(f"data 'digits': cannot import scikit-learn ({error}); pip install it") from None
    return load_digits(return_X_y=True)


def _test_rows(labels: np.ndarray, data: Digits) -> np.ndarray:
    """True for the examples of the test part: of each class its share, at least one and never all."""
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        share = min(max(round(data.test_fraction * len(rows)), 1), len(rows) - 1)
        test[rows[permutation(data.split_seed, f"digits:{label}", len(rows))[:share]]] = True
    return test
