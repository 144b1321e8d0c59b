"""MNIST's IDX files: a magic number, the sizes of the axes, the elements, all big-endian."""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np

from ..errors import DataError
from .arrays import RawArrays

ELEMENTS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
WHITE = 255


def read_idx_folder(folder: str | Path, input_name: str) -> RawArrays:
    """train-images, train-labels, t10k-images and t10k-labels of a folder, plain or .gz; pixels / 255.

    images: (n, H, W)   labels: (n,)
    """
    folder = Path(folder).expanduser()
    images = {part: _pixels(_find(folder, f"{part}-images", 3)) for part in ("train", "t10k")}
    labels = {part: read_idx(_find(folder, f"{part}-labels", 1)) for part in ("train", "t10k")}
    return RawArrays(
        str(folder),
        {input_name: images["train"]},
        labels["train"],
        {input_name: images["t10k"]},
        labels["t10k"],
    )


def read_idx(path: Path) -> np.ndarray:
    """The array in one IDX file; DataError if it is not one, is cut short, or goes on after its end.

    Source: Y. LeCun, C. Cortes, C. Burges, the MNIST database, "The IDX file format".
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in ELEMENTS:
        got = content[:4].hex(" ") or "nothing"
        raise DataError(f"{path}: begins with {got}, expected 00 00 <type 08-0e> <axes>; give an IDX file")
    element, axes = np.dtype(ELEMENTS[content[2]]), content[3]
    start = 4 + 4 * axes
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    wanted = start + prod(shape) * element.itemsize
    if len(content) != wanted:
        raise DataError(f"{path}: got {len(content)} bytes, its header {shape} wants {wanted}; fetch it again")
    return np.frombuffer(content, element, offset=start).reshape(shape)


def _pixels(path: Path) -> np.ndarray:
    return (read_idx(path) / WHITE).astype(np.float32)


def _find(folder: Path, stem: str, axes: int) -> Path:
    names = [f"{stem}{mark}idx{axes}-ubyte{suffix}" for mark in "-." for suffix in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    others = ", ".join(names[1:])
    raise DataError(f"{folder}: has no '{names[0]}' (nor {others}); put the four IDX files there")


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}; fetch the file again") from None
