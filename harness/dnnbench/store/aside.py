"""A generation that its store did not take, in a file of its own until the run is resumed."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from dnnbench.store.rows import json_ready
from dnnbench.store.samples import Block, pack, unpack
from dnnbench.store.store import Store

from ..errors import StoreError
from ..regular import open_regular

if TYPE_CHECKING:
    import numpy as np

VERSION = 1
PREFIX = "dnnbench-aside"
LARGEST_NUMBER = 2**31 - 1
"""Of a generation: what a store's column holds."""
KINDS = {
    "run_id": str, "generation": int, "finished": str,
    "facts": dict, "first_calls": list, "cells": list, "figures": list, "blocks": dict,
}  # fmt: skip
"""Of what a file holds."""


@dataclass(frozen=True)
class GenerationRows:
    """What one generation adds to a run, as `Store.add_generation` takes it:
    rows, and (n, 5) visits by cell id.
    """

    run_id: str
    number: int
    finished: str
    facts: Mapping[str, Any]
    visits: Mapping[str, "np.ndarray"]
    first_calls: Sequence[Mapping[str, Any]]
    cells: Sequence[Mapping[str, Any]]
    figures: Sequence[Mapping[str, Any]] = ()

    def add_to(self, store: Store) -> None:
        """Commit it, all in one transaction."""
        store.add_generation(
            self.run_id, self.number, self.facts, self.visits,
            finished=self.finished, first_calls=self.first_calls, cells=self.cells,
            figures=self.figures,
        )  # fmt: skip

    def put_aside(self, folders: Iterable[Path]) -> Path:
        """Write it whole into a file of the first folder that takes it, made if need be.

        On disk when this returns.

        No password is in it.  Raises StoreError if no folder takes it.
        """
        refusals = []
        for folder in folders:
            try:
                return self._write(folder)
            except OSError as error:
                refusals.append(f"{folder}: {error.strerror}")
        reasons = "; ".join(refusals)
        raise StoreError(
            f"generation {self.number + 1} of run {self.run_id} is lost: "
            f"no folder took it ({reasons})"
        )

    def _write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{PREFIX}-{self.run_id}-{self.number}.json"
        with NamedTemporaryFile(
            "w", dir=folder, prefix=f".{PREFIX}-", encoding="utf-8", delete=False
        ) as file:
            try:
                json.dump(self.to_json(), file)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
        _sync(folder)
        return path

    def to_json(self) -> dict[str, Any]:
        """Plain data, masked as all that a store keeps."""
        blocks = {cell: asdict(pack(visits)) for cell, visits in self.visits.items()}
        blobs = {cell: b64encode(block.pop("blob")).decode() for cell, block in blocks.items()}
        return {
            "version": VERSION,
            "run_id": self.run_id,
            "generation": self.number,
            "finished": self.finished,
            "facts": json_ready(self.facts),
            "first_calls": json_ready(list(self.first_calls)),
            "cells": json_ready(list(self.cells)),
            "figures": json_ready(list(self.figures)),
            "blocks": {cell: block | {"blob": blobs[cell]} for cell, block in blocks.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "GenerationRows":
        blocks = {
            cell: Block(**block | {"blob": b64decode(block["blob"])})
            for cell, block in stored["blocks"].items()
        }
        return cls(
            stored["run_id"],
            stored["generation"],
            stored["finished"],
            stored["facts"],
            {cell: unpack(block) for cell, block in blocks.items()},
            stored["first_calls"],
            stored["cells"],
            stored["figures"],
        )


def take_in(store: Store, run_id: str, folders: Iterable[Path]) -> list[int]:
    """Commit what was put aside of a run, each generation once, and remove its file.

    Returns their numbers.

    A process that ended between the two left a file whose generation is in the store:
    it is only removed.
    """
    taken = []
    for file in _files(run_id, folders):
        generation = _read(file)
        if generation.number not in store.done_generations(run_id):
            generation.add_to(store)
            taken.append(generation.number)
        file.unlink()
    return taken


def _files(run_id: str, folders: Iterable[Path]) -> list[Path]:
    pattern = f"{PREFIX}-{run_id}-*.json"
    return sorted(chain.from_iterable(folder.glob(pattern) for folder in folders))


def _read(file: Path) -> GenerationRows:
    try:
        with open_regular(file) as opened:
            stored = json.load(opened)
        stored = {"figures": []} | stored  # a file that an older dnnbench put aside has none
        if stored["version"] != VERSION:
            raise StoreError(
                f"{file}: has version {stored['version']}, this dnnbench reads {VERSION}; "
                "upgrade dnnbench"
            )
        _check_kinds(stored)
        return GenerationRows.from_json(stored)
    except OSError as error:
        raise StoreError(
            f"{file}: cannot be read ({error.strerror}); make it readable, or move it away"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{file}: is no generation that dnnbench put aside ({type(error).__name__}: {error}); "
            "move it away"
        ) from None


def _check_kinds(stored: Mapping[str, Any]) -> None:
    """TypeError for what a database might take and no reader of it would."""
    for name, kind in KINDS.items():
        if not isinstance(stored[name], kind):
            raise TypeError(f"{name} is no {kind.__name__}")
    if not 0 <= stored["generation"] <= LARGEST_NUMBER:
        raise ValueError(f"generation is not between 0 and {LARGEST_NUMBER}")
    rows = (stored[name] for name in ("first_calls", "cells", "figures"))
    for row in (*chain.from_iterable(rows), *stored["blocks"].values()):
        if not isinstance(row, dict):
            raise TypeError(f"{row!r:.40} is no row")


def _sync(folder: Path) -> None:
    """A rename is on disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
