"""The data sets that lie beside this file; `LICENSES.txt` says whose they are."""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


def shipped(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, d) as float64 and labels (n,) as int64, unscaled, as scikit-learn loads them.

    name: digits, wine or breast_cancer
    """
    with np.load(FOLDER / f"{name}.npz") as arrays:
        return arrays["x"].astype(np.float64), arrays["y"].astype(np.int64)
