"""Small real tables, which ship inside dnnbench or, where no licence allows that, scikit-learn."""

import numpy as np

from ..errors import DataError
from ..spec.data import Table
from .arrays import RawArrays
from .shipped import shipped
from .split import drawn, stratified

REGRESSIONS = ("diabetes",)


def read_table(data: Table, input_name: str) -> RawArrays:
    """Features (n, d) with mean 0 and variance 1 over the training part.

    Classes, or a target standardised likewise.

    Sources: Forina 1991 (wine), Wolberg et al. 1995 (breast_cancer), both UCI; Efron et al.
    2004 (diabetes).
    """
    x, y = _load(data.name)
    test = _test_rows(data, y)
    train = ~test
    x = _standardised(x, train)
    if data.name in REGRESSIONS:
        y = _standardised(y, train)
    return RawArrays(data.name, {input_name: x[train]}, y[train], {input_name: x[test]}, y[test])


def _load(name: str) -> tuple[np.ndarray, np.ndarray]:
    return _diabetes() if name == "diabetes" else shipped(name)


def _diabetes() -> tuple[np.ndarray, np.ndarray]:
    try:
        from sklearn.datasets import load_diabetes
    except ImportError as error:
        raise DataError(
            f"data 'table', diabetes: cannot import scikit-learn ({error}); "
            "pip install 'dnnbench[tables]'"
        ) from None
    x, y = load_diabetes(return_X_y=True)
    return x, y


def _test_rows(data: Table, y: np.ndarray) -> np.ndarray:
    if data.name in REGRESSIONS:
        rows = drawn(len(y), data.test_fraction, data.split_seed, data.name)
        return np.isin(np.arange(len(y)), rows)
    return stratified(y, data.test_fraction, data.split_seed, data.name)


def _standardised(array: np.ndarray, training: np.ndarray) -> np.ndarray:
    rows = array[training]
    standardised: np.ndarray = (array - rows.mean(axis=0)) / rows.std(axis=0)
    return standardised
