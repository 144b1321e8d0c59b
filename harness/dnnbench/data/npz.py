"""A user's own arrays in NumPy's .npz archive, never unpickled."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import DataError
from .arrays import RawArrays

_BROKEN = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def read_npz(path: str | Path, input_names: Sequence[str]) -> RawArrays:
    """Arrays x_train, y_train, x_test, y_test; with several inputs x_train.<input> and x_test.<input>.

    DataError for a file that is no archive, misses an array, or holds pickled objects.
    """
    path = Path(path).expanduser()
    with _open(path) as archive:
        parts = {part: _inputs(archive, path, part, input_names) for part in ("x_train", "x_test")}
        targets = {part: _array(archive, path, part) for part in ("y_train", "y_test")}
    return RawArrays(str(path), **parts, **targets)


def _open(path: Path) -> np.lib.npyio.NpzFile:
    try:
        archive = np.load(path, allow_pickle=False)
    except _BROKEN as error:
        raise DataError(f"{path}: cannot be read as .npz: {error}; write it with numpy.savez") from None
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise DataError(f"{path}: holds one bare array, expected an archive; write it with numpy.savez")
    return archive


def _inputs(archive, path: Path, part: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    if len(names) == 1:
        return {names[0]: _array(archive, path, part)}
    return {name: _array(archive, path, f"{part}.{name}") for name in names}


def _array(archive, path: Path, key: str) -> np.ndarray:
    if key not in archive.files:
        held = ", ".join(sorted(archive.files)) or "nothing"
        raise DataError(f"{path}: has no array '{key}' (it holds {held}); give numpy.savez one of that name")
    try:
        return archive[key]
    except _BROKEN as error:
        advice = "save plain number arrays, objects are never unpickled"
        raise DataError(f"{path}: array '{key}' cannot be read: {error}; {advice}") from None
