"""References on disk: named by all that they depend on, and written whole or not at all."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from ..protocol.batch import Batch
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .keys import TensorKey, Tensors
from .reference import Reference

LEVEL, TIMED_LEVEL, NORM = "level", "timed level", "norm"
"""Where a file keeps the names of its level norms, those of the timed batch, and the norm of the
gradients (empty where there are none).

A tensor is `tensor:<text of a key>` or `timed:<text of a key>`. What is a number a key, and the
masks of zeros, stand in arrays for all keys together: an entry of an archive costs 0.1 ms.
"""


def reference_key(
    workload: Workload,
    batches: Sequence[Batch],
    steps: Sequence[int],
    seed: int,
    code: str,
    dtype: str,
    phases: Collection[Phase] = PHASES,
    weights: Mapping[str, np.ndarray] | None = None,
    timed: Batch | None = None,
) -> str:
    """32 hex digits over what a reference depends on: spec, data, NumPy's version, and its `code`.

    weights: None for where a check of the seed starts.
    """
    head = f"{workload.spec_hash} {seed} {list(steps)} {np.__version__} {code} {dtype}"
    head += f" {','.join(phases)}"
    digest = hashlib.sha256(head.encode())
    arrays = chain.from_iterable(map(_named_arrays, (*batches, *([timed] if timed else ()))))
    digest.update(f"timed {timed is not None}".encode())
    for name, array in [*arrays, *sorted((weights or {}).items())]:
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def _named_arrays(batch: Batch) -> list[tuple[str, np.ndarray]]:
    inputs, masks = sorted(batch.inputs.items()), sorted(batch.masks.items())
    return [*inputs, ("targets", batch.targets), *masks]


def save_reference(reference: Reference, path: Path) -> None:
    """Write a reference: a reader finds nothing or the whole of it, however many write it."""
    parts: dict[str, Any] = {
        **_each("tensor", reference.tensors),
        **_each("timed", reference.timed),
        **_joined_masks("zero", reference.zero),
        **_together("sigma", reference.sigma),
        **_together("peak", reference.peak),
        **_together("kink", reference.sigma_kink),
        **_together("timed sigma", reference.timed_sigma),
        **_together("timed peak", reference.timed_peak),
        **_together("timed kink", reference.timed_kink),
        LEVEL: np.array(reference.level, np.str_),
        TIMED_LEVEL: np.array(reference.timed_level, np.str_),
        NORM: np.array([] if reference.gradient_norm is None else [reference.gradient_norm]),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".unfinished", delete=False) as unfinished:
        np.savez(unfinished, **parts)
    Path(unfinished.name).replace(path)


def _each(group: str, tensors: Tensors) -> dict[str, np.ndarray]:
    """An entry a tensor, so that one can be read alone."""
    return {f"{group}:{key}": np.asarray(tensor) for key, tensor in tensors.items()}


def _together(group: str, numbers: Mapping[TensorKey, float]) -> dict[str, np.ndarray]:
    """Two entries for all keys: their texts, and the numbers in the same order."""
    return {f"{group} keys": _texts(numbers), group: np.array(list(numbers.values()), float)}


def _joined_masks(group: str, masks: Mapping[TensorKey, np.ndarray]) -> dict[str, np.ndarray]:
    """As `_together`; the masks follow each other, and have the shapes of the tensors."""
    flat = [np.ravel(mask) for mask in masks.values()]
    return {f"{group} keys": _texts(masks), group: np.concatenate([np.zeros(0, bool), *flat])}


def _texts(keys: Iterable[TensorKey]) -> np.ndarray:
    return np.array([str(key) for key in keys], np.str_)


def load_reference(path: Path) -> Reference:
    """What `save_reference` wrote."""
    with np.load(path, allow_pickle=False) as archive:
        parts = {name: archive[name] for name in archive.files}
    tensors = _tensors("tensor", parts)
    return Reference(
        tensors=tensors,
        sigma=_numbers("sigma", parts),
        peak=_numbers("peak", parts),
        sigma_kink=_numbers("kink", parts),
        zero=_masks("zero", parts, tensors),
        level=tuple(map(str, parts[LEVEL])),
        timed=_tensors("timed", parts),
        timed_sigma=_numbers("timed sigma", parts),
        timed_peak=_numbers("timed peak", parts),
        timed_kink=_numbers("timed kink", parts),
        timed_level=tuple(map(str, parts[TIMED_LEVEL])),
        gradient_norm=_norm(parts[NORM]),
    )


def _norm(stored: np.ndarray) -> float | None:
    return float(stored[0]) if stored.size else None


def stored_gradient_norm(path: Path) -> float | None:
    """The norm of a written reference's gradients, nothing else of it being read.

    None where there is no such file.
    """
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as archive:
        return _norm(archive[NORM])


def _tensors(group: str, parts: Mapping[str, np.ndarray]) -> dict[TensorKey, np.ndarray]:
    return {
        TensorKey.parse(text): parts[f"{group}:{text}"] for text in _texts_of_each(group, parts)
    }


def _numbers(group: str, parts: Mapping[str, np.ndarray]) -> dict[TensorKey, float]:
    return dict(zip(_keys(group, parts), parts[group].tolist(), strict=True))


def _masks(
    group: str, parts: Mapping[str, np.ndarray], tensors: Tensors
) -> dict[TensorKey, np.ndarray]:
    masks, begin = {}, 0
    for key in _keys(group, parts):
        end = begin + tensors[key].size
        masks[key] = parts[group][begin:end].reshape(tensors[key].shape)
        begin = end
    return masks


def _keys(group: str, parts: Mapping[str, np.ndarray]) -> list[TensorKey]:
    return [TensorKey.parse(text) for text in parts[f"{group} keys"].tolist()]


def _texts_of_each(group: str, names: Iterable[str]) -> list[str]:
    """Texts of the keys of a group, in the order in which they were written."""
    start = f"{group}:"
    return [name.removeprefix(start) for name in names if name.startswith(start)]


class StoredTensors(Mapping[TensorKey, np.ndarray]):
    """The tensors of a written reference by key, each read when it is used."""

    def __init__(self, path: Path) -> None:
        self._archive = np.load(path, allow_pickle=False)

    def __getitem__(self, key: TensorKey) -> np.ndarray:
        array: np.ndarray = self._archive[f"tensor:{key}"]
        return array

    def __iter__(self) -> Iterator[TensorKey]:
        return map(TensorKey.parse, _texts_of_each("tensor", self._archive.files))

    def __len__(self) -> int:
        return len(_texts_of_each("tensor", self._archive.files))
