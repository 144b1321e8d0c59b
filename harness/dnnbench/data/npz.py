"""A user's own arrays in NumPy's .npz archive, never unpickled."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..regular import home_expanded, open_regular
from ..spec.data import Npz
from ..wording import listed, shortened
from .arrays import RawArrays
from .free_memory import require_room

_BROKEN = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,  # encrypted, or compressed in a way that Python does not know
    zipfile.BadZipFile,
    zlib.error,
)
ZIP, ARRAY = b"PK", b"\x93NUMPY"
"""How an archive begins, and how a bare array does."""


def read_npz(data: Npz, input_names: Sequence[str]) -> RawArrays:
    """Arrays x_train, y_train, x_test, y_test.

    With several inputs x_train.<input> and x_test.<input>.

    DataError for a file that is no archive, misses an array, or holds pickled objects.
    """
    path = home_expanded(data.path)
    with _open(path) as archive:
        x_train = _inputs(archive, path, "x_train", input_names)
        x_test = _inputs(archive, path, "x_test", input_names)
        y_train = _array(archive, path, "y_train")
        y_test = _array(archive, path, "y_test")
    return RawArrays(str(path), x_train, y_train, x_test, y_test, layout=data.layout)


@contextmanager
def _open(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    advice = "write it with numpy.savez"
    try:
        with open_regular(path) as file:
            start = file.read(len(ARRAY))
            if start == ARRAY:
                raise DataError(f"{path}: holds one bare array, expected an archive; {advice}")
            if not start.startswith(ZIP):
                raise DataError(f"{path}: cannot be read as .npz: it is no archive; {advice}")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                yield archive
    except _BROKEN as error:
        raise DataError(f"{path}: cannot be read as .npz: {_reason(error)}; {advice}") from None


def _reason(error: Exception) -> str:
    return shortened(getattr(error, "strerror", None) or str(error))


def _inputs(
    archive: np.lib.npyio.NpzFile, path: Path, part: str, names: Sequence[str]
) -> dict[str, np.ndarray]:
    if len(names) == 1:
        return {names[0]: _array(archive, path, part)}
    return {name: _array(archive, path, f"{part}.{name}") for name in names}


def _array(archive: np.lib.npyio.NpzFile, path: Path, key: str) -> np.ndarray:
    if key not in archive.files:
        held = listed(sorted(archive.files)) or "nothing"
        raise DataError(
            f"{path}: has no array '{key}' (it holds {held}); give numpy.savez one of that name"
        )
    where = f"{path}: array '{key}'"
    try:
        require_room(_size_bytes(archive, key), where)
        array = archive[key]
    except _BROKEN as error:
        raise DataError(f"{where} cannot be read: {_reason(error)}; {_advice(error)}") from None
    except MemoryError:
        raise DataError(
            f"{where} has a header that tells of more than memory holds; write the file again"
        ) from None
    if not isinstance(array, np.ndarray):
        raise DataError(f"{where} is no array of NumPy; write the file with numpy.savez")
    return array


def _size_bytes(archive: np.lib.npyio.NpzFile, key: str) -> int:
    """Of the array once it is decompressed."""
    assert archive.zip is not None  # it is open
    names = {key, f"{key}.npy"}
    members = [member for member in archive.zip.infolist() if member.filename in names]
    return sum(member.file_size for member in members)


def _advice(error: Exception) -> str:
    if "allow_pickle" in str(error):
        return "save plain number arrays, objects are never unpickled"
    return "the file is damaged: copy it again, or write it with numpy.savez"
