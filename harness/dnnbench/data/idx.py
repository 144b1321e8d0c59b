"""MNIST's IDX files: a magic number, the sizes of the axes, the elements, all big-endian."""

import gzip
import os
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import DataError
from ..regular import home_expanded, open_regular
from ..spec.tensor import MOST_AXES
from .arrays import RawArrays
from .free_memory import require_room

ELEMENTS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
WHITE = 255
_COPIES = 2
"""The bytes that are read, and the array made of them at least as large."""


def read_idx_folder(folder: str | Path, input_name: str) -> RawArrays:
    """train-images, train-labels, t10k-images and t10k-labels of a folder, plain or .gz.

    Pixels as `_pixels` scales them.

    images: (n, H, W)   labels: (n,)
    """
    folder = home_expanded(folder)
    x_train, y_train = _read_part(folder, "train")
    x_test, y_test = _read_part(folder, "t10k")
    return RawArrays(str(folder), {input_name: x_train}, y_train, {input_name: x_test}, y_test)


def _read_part(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """(images, labels)"""
    images = _pixels(_find(folder, f"{part}-images", axes=3))
    labels = read_idx(_find(folder, f"{part}-labels", axes=1))
    return images, labels


def read_idx(path: Path) -> np.ndarray:
    """The array in one IDX file.

    DataError if it is not one, is cut short, or goes on after its end.

    Its header is read first, so that a compressed file of zeros without end costs no more
    than it says.
    Source: Y. LeCun, C. Cortes, C. Burges, the MNIST database, "The IDX file format".
    """
    try:
        with open_regular(path) as file:
            if path.suffix != ".gz":
                return _read(path, file, os.fstat(file.fileno()).st_size)
            with gzip.GzipFile(fileobj=file) as content:
                return _read(path, content, None)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read: {reason}; fetch the file again") from None


def _read(path: Path, file: BinaryIO | gzip.GzipFile, size_bytes: int | None) -> np.ndarray:
    """The array; `size_bytes` of the whole file where they are known before it is read."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in ELEMENTS:
        got = start.hex(" ") or "nothing"
        raise DataError(
            f"{path}: begins with {got}, expected 00 00 <type 08-0e> <axes>; give an IDX file"
        )
    element = np.dtype(ELEMENTS[start[2]])
    axes = start[3]
    if axes > MOST_AXES:
        raise DataError(
            f"{path}: its header tells of {axes} axes, expected at most {MOST_AXES}; fetch it again"
        )
    sizes = file.read(4 * axes)
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, 4 * axes, 4))
    wanted = prod(shape) * element.itemsize
    header = len(start) + 4 * axes
    _require_size(path, shape, header + wanted, size_bytes)
    require_room(wanted * _COPIES, str(path))
    # One byte more than wanted shows a file that goes on.
    content = file.read(wanted + 1)
    _require_size(path, shape, header + wanted, len(start) + len(sizes) + len(content))
    return np.frombuffer(content, element).reshape(shape)


def _require_size(
    path: Path, shape: tuple[int, ...], wanted_bytes: int, got_bytes: int | None
) -> None:
    if got_bytes not in (None, wanted_bytes):
        raise DataError(
            f"{path}: got {got_bytes} bytes, its header {shape} wants {wanted_bytes}; "
            "fetch it again"
        )


def _pixels(path: Path) -> np.ndarray:
    """Whole numbers / 255.

    Floating-point ones are in [0, 1] or standardised by whoever made them.
    """
    array = read_idx(path)
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    return (array / WHITE).astype(np.float32)


def _find(folder: Path, stem: str, axes: int) -> Path:
    plain = [f"{stem}-idx{axes}-ubyte", f"{stem}.idx{axes}-ubyte"]
    names = [plain[0], f"{plain[0]}.gz", plain[1], f"{plain[1]}.gz"]
    for name in names:
        if (folder / name).exists():
            return folder / name
    others = ", ".join(names[1:])
    raise DataError(f"{folder}: has no '{names[0]}' (nor {others}); put the four IDX files there")
