"""The truth that contenders are held against: the NumPy backend in float64, and how far honest rounding strays from it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.workload import Workload
from .keys import TensorKey, Tensors
from .level import level_norms
from .observing import observe

BuildIn = Callable[[str, str], Callable[[Workload], Program]]
"""(mode, dtype) -> build(workload)"""
Look = Callable[[Callable[[Workload], Program], Workload, Sequence[Batch], Sequence[int]], Tensors]
"""(build, workload, batches, steps) -> tensors by key"""
LEVEL = "level"
"""Where a written reference keeps the names of its level norms."""


@dataclass(frozen=True)
class Reference:
    """By key of `observe`: the truth R, sigma, peak, sigma_kink, and where R is zero whatever the rounding.

    level: norms that take equal values together in the first training pass.
    """

    tensors: Tensors
    sigma: Mapping[TensorKey, float]
    peak: Mapping[TensorKey, float]
    sigma_kink: Mapping[TensorKey, float]
    zero: Mapping[TensorKey, np.ndarray]
    level: tuple[str, ...] = ()


def make_reference(
    build_in: BuildIn,
    workload: Workload,
    batches: Sequence[Batch],
    steps: Sequence[int],
    study: str,
    look: Look = observe,
) -> Reference:
    """Five evaluations: the truth, three honest ones in `study`, and float64 with every close choice flipped.

    look: what is observed of each.
    sigma, peak = worst rmse, and largest single error, against R in `study` with the batch permuted, inner dimensions summed
    in blocks, and reversed; NaN where any of them is.
    sigma_kink = rmse between R and the flipped evaluation; a lower precision's sigma holds its flips already.
    """

    def run(mode, dtype, rows):
        return look(build_in(mode, dtype), workload, rows, steps)

    permutation = np.roll(np.arange(batches[0].size)[::-1], 1)
    truth = run("eager", "float64", batches)
    flipped = run("flipped", "float64", batches)
    rounded = [
        _unpermute(run("eager", study, [batch.rows(permutation) for batch in batches]), permutation),
        run("blocked", study, batches),
        run("reversed", study, batches),
    ]
    return Reference(
        truth,
        {key: float(np.max([rmse(other[key], r) for other in rounded])) for key, r in truth.items()},
        {key: float(np.max([largest(other[key], r) for other in rounded])) for key, r in truth.items()},
        {key: rmse(flipped[key], r) for key, r in truth.items()},
        {key: _zero_in_all(key, [truth, flipped, *rounded]) for key in truth},
        level_norms(build_in("eager", "float64"), workload, batches[0]),
    )


def _zero_in_all(key: TensorKey, runs: Sequence[Tensors]) -> np.ndarray:
    return np.logical_and.reduce([run[key] == 0 for run in runs])


def _unpermute(tensors: Tensors, permutation: np.ndarray) -> Tensors:
    """Undo the permutation of examples where a tensor has one row for each."""
    back = np.argsort(permutation)
    return {key: array[back] if key.by_example else array for key, array in tensors.items()}


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square of a - b, in float64."""
    return float(np.sqrt(np.mean(np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)))))


def largest(a: np.ndarray, b: np.ndarray) -> float:
    """Largest |a - b|, in float64."""
    return float(np.max(np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)), initial=0.0))


def rms(a: np.ndarray) -> float:
    """Root mean square, in float64."""
    return float(np.sqrt(np.mean(np.square(np.asarray(a, np.float64)))))


def reference_key(
    workload: Workload, batches: Sequence[Batch], steps: Sequence[int], seed: int, code: str, study: str
) -> str:
    """32 hex digits over everything a reference depends on: spec, data, NumPy's version, and the `code` that makes it."""
    digest = hashlib.sha256(f"{workload.spec_hash} {seed} {list(steps)} {np.__version__} {code} {study}".encode())
    for batch in batches:
        for name, array in [*sorted(batch.inputs.items()), ("targets", batch.targets), *sorted(batch.masks.items())]:
            digest.update(f"{name}{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def save_reference(reference: Reference, path: Path) -> None:
    """Write a reference so that a reader finds either nothing or the whole of it, however many write it at once."""
    parts = {
        **{f"tensor:{key}": array for key, array in reference.tensors.items()},
        **{f"zero:{key}": array for key, array in reference.zero.items()},
        **{f"sigma:{key}": np.float64(value) for key, value in reference.sigma.items()},
        **{f"peak:{key}": np.float64(value) for key, value in reference.peak.items()},
        **{f"kink:{key}": np.float64(value) for key, value in reference.sigma_kink.items()},
        LEVEL: np.array(reference.level, np.str_),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".unfinished", delete=False) as unfinished:
        np.savez(unfinished, **parts)
    Path(unfinished.name).replace(path)


def load_reference(path: Path) -> Reference:
    """What `save_reference` wrote."""
    with np.load(path, allow_pickle=False) as archive:
        parts = {key: archive[key] for key in archive.files}

    def group(prefix, convert=lambda array: array):
        start = prefix + ":"
        texts = [text for text in parts if text.startswith(start)]
        return {TensorKey.parse(text.removeprefix(start)): convert(parts[text]) for text in texts}

    level = tuple(map(str, parts[LEVEL]))
    numbers = (group(name, float) for name in ("sigma", "peak", "kink"))
    return Reference(group("tensor"), *numbers, group("zero"), level)


class StoredTensors(Mapping[TensorKey, np.ndarray]):
    """The tensors of a written reference by key, each read when it is asked for."""

    def __init__(self, path: Path):
        self._archive = np.load(path, allow_pickle=False)

    def __getitem__(self, key: TensorKey) -> np.ndarray:
        return self._archive[f"tensor:{key}"]

    def __iter__(self) -> Iterator[TensorKey]:
        texts = (name.removeprefix("tensor:") for name in self._archive.files if name.startswith("tensor:"))
        return map(TensorKey.parse, texts)

    def __len__(self) -> int:
        return sum(1 for _ in self)
