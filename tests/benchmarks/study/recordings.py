"""The store of raw samples: one .npz a sitting, every whole trial in it,
written anew in one step after each trial.

Visits are float32 rounded to 13 bits of mantissa:
at most 6e-5 of a visit, whose own noise is a hundred times that, and a third of the bytes.
Everything is packed with LZMA, which `numpy.load` reads as well.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .trial import Trial

FOLDER = Path(__file__).parent / "recordings"
DROPPED_BITS = 10
ARRAYS = {
    "generation": np.uint8,
    "flags": np.uint8,
    "control_s": np.float32,
    "seconds": np.float32,
    "position": np.uint8,
}
FACTS = "facts.json"


def append(path: Path, trial: Trial) -> None:
    """Add a trial to a sitting's file; whoever is interrupted here leaves the file as it was."""
    part = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        shutil.copyfile(path, part)
    else:
        part.unlink(missing_ok=True)
    with zipfile.ZipFile(part, "a", zipfile.ZIP_LZMA) as archive:
        name = f"{len(_names(archive)):04d}"
        for column in ARRAYS:
            with archive.open(f"{name}/{column}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, _packed(trial, column))
        archive.writestr(f"{name}/{FACTS}", json.dumps(_told(trial)))
    os.replace(part, path)


def read(folder: Path) -> list[Trial]:
    """All trials of all sittings, in the order of their beginning."""
    trials = [trial for path in sorted(folder.glob("*.npz")) for trial in _read_sitting(path)]
    return sorted(trials, key=lambda trial: trial.facts["began"])


def size_bytes(folder: Path) -> int:
    """Bytes of all sittings."""
    return sum(path.stat().st_size for path in folder.glob("*.npz"))


def rounded(seconds: np.ndarray) -> np.ndarray:
    """float32 whose last `DROPPED_BITS` bits of mantissa are zero: the nearest such number."""
    bits = np.ascontiguousarray(seconds, np.float32).view(np.uint32)
    half, low = np.uint32(1 << (DROPPED_BITS - 1)), np.uint32((1 << DROPPED_BITS) - 1)
    return ((bits + half) & ~low).view(np.float32)


def _packed(trial: Trial, column: str) -> np.ndarray:
    array = getattr(trial, column).astype(ARRAYS[column])
    return rounded(array) if array.dtype == np.float32 else array


def _told(trial: Trial) -> dict:
    return {
        "kind": trial.kind,
        "arms": trial.arms,
        "pairs": trial.pairs,
        "calls": trial.calls,
        "facts": trial.facts,
    }


def _names(archive: zipfile.ZipFile) -> list[str]:
    return sorted(name.split("/")[0] for name in archive.namelist() if name.endswith(FACTS))


def _read_sitting(path: Path) -> Iterator[Trial]:
    with zipfile.ZipFile(path) as archive:
        names = _names(archive)
    with np.load(path) as arrays:
        for name in names:
            told = json.loads(arrays[f"{name}/{FACTS}"])
            pairs = tuple(tuple(pair) for pair in told.pop("pairs"))
            columns = {column: arrays[f"{name}/{column}"] for column in ARRAYS}
            yield Trial(**told, pairs=pairs, **columns, sitting=path.stem)
