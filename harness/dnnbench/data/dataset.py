"""The examples of a workload, ready to be fed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..regular import home_expanded, is_there
from ..spec.data import Data, Digits, Idx, Npz, PythonSource, Reordered, Synthetic, Table
from ..spec.workload import Workload
from ..wording import shortened
from .arrays import RawArrays
from .digits import read_digits
from .fit import fit_part
from .idx import read_idx_folder
from .npz import read_npz
from .python_source import read_python_source
from .reordered import reordered
from .synthetic import synthetic
from .table import read_table

DATA_FILES = "an .npz file or a folder of IDX files"
OF_A_USER = (Npz, Idx)


@dataclass(frozen=True)
class Dataset:
    """Training and test examples in the shapes of a workload.

    x_train, x_test: (n, ...) by input name, float32 or the input's integer type
    y_train, y_test: (n, ...) int32 labels, or float32 values for a regression or yes-or-no targets
    facts: what identifies the data where they differ between machines, such as their SHA-256
    """

    x_train: Mapping[str, np.ndarray]
    y_train: np.ndarray
    x_test: Mapping[str, np.ndarray]
    y_test: np.ndarray
    facts: Mapping[str, str] = field(default_factory=dict)


def load(workload: Workload, path_override: str | Path | None = None) -> Dataset:
    """The data that the workload's task names, or those at `path_override`:
    a folder of IDX files or an .npz.

    DataError if they cannot be read or do not fit the network.
    """
    data = workload.task.data if path_override is None else _data_at(path_override)
    raw = _read(data, workload)
    try:
        train, test = fit_part(raw, workload, "train"), fit_part(raw, workload, "test")
    except DataError as error:
        raise DataError(f"{error}{_or_other_data(data)}") from error
    return Dataset(*train, *test, facts=raw.facts)


def _or_other_data(data: Data) -> str:
    """What helps where the examples that do not fit are none of the user's."""
    if isinstance(data, OF_A_USER):
        return ""
    return (
        f"; or give the network's task other data than '{data.kind}', which it has: "
        "data=Synthetic() fits any network, --data PATH takes yours"
    )


def _data_at(path: str | Path) -> Data:
    path = home_expanded(path)
    if not is_there(path):
        raise DataError(
            f"{shortened(str(path))}: got nothing there, expected {DATA_FILES}; check the path"
        )
    if path.is_dir():
        return Idx(path=str(path))
    if path.suffix == ".npz":
        return Npz(path=str(path))
    raise DataError(f"{path}: got a file of another kind, expected {DATA_FILES}; check the path")


def _read(data: Data, workload: Workload) -> RawArrays:
    names = [source.name for source in workload.model.inputs]
    match data:
        case Synthetic():
            return synthetic(data, workload)
        case Npz():
            return read_npz(data, names)
        case PythonSource():
            return read_python_source(data, workload)
        case Reordered():
            return reordered(data, workload)
        case Table():
            return read_table(data, _only(names, "table"))
        case Digits():
            return read_digits(data, _only(names, "digits"))
        case Idx():
            return read_idx_folder(data.path, _only(names, "idx"))


def _only(names: list[str], kind: str) -> str:
    if len(names) != 1:
        raise DataError(
            f"data '{kind}' feeds one input, but the network has {len(names)} "
            f"({', '.join(names)}); use npz or synthetic data"
        )
    return names[0]
