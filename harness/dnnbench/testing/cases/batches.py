"""What cases are fed: seeded examples in which conventions show."""

import numpy as np

from ...data.masks import random_masks
from ...protocol.batch import Batch
from ...spec.model import Input
from ...spec.weights import generator
from ...spec.workload import Workload

FAR = 256
"""A mean over a deviation of 1: in units of rounding, two passes may be wrong by this (PyTorch is),
one by its square.
"""
LARGE = 1000
"""Beyond what exp reaches in any type."""
BYTE, WORD = 2**8, 2**16


def batches_of(workload: Workload, count: int = 5, size: int = 4, seed: int = 0) -> list[Batch]:
    """Seeded batches of normal inputs.

    An input whose name ends in `zeroed` has rows of zeros, one that ends in `far` lies around FAR,
    one that ends in `large` is +LARGE or -LARGE throughout, apart by LARGE, or 0, an example each.
    One-channel images have two levels, ids repeat, those of an input that ends in `wide` lie where
    a byte and a word end, and boolean masks hide a tail that differs between examples.
    """
    return [_batch_of(workload, size, f"{workload.name}.{i}", seed) for i in range(count)]


def _batch_of(workload: Workload, size: int, name: str, seed: int) -> Batch:
    draw = generator(seed, name)
    inputs = {
        i.name: _input(draw, i, size, workload.model.vocabularies.get(i.name, 2))
        for i in workload.model.inputs
    }
    return Batch(
        inputs,
        _targets(draw, workload, size),
        random_masks(workload.model, size, seed + _number(name)),
    )


def _number(name: str) -> int:
    return sum(map(ord, name))


def _input(draw: np.random.Generator, source: Input, size: int, vocabulary: int) -> np.ndarray:
    shape = (size, *source.shape)
    match source.dtype:
        case "int32" if source.name.endswith("wide"):
            return _wide_ids(draw, shape, vocabulary)
        case "int32":
            return draw.integers(0, vocabulary, shape).astype(np.int32)
        case "bool":
            seen = draw.integers(1, source.shape[-1] + 1, shape[:-1])
            return np.arange(source.shape[-1]) < seen[..., None]
    x = draw.normal(size=shape).astype(np.float32)
    if source.name.endswith("zeroed"):
        x[::2] = 0
    if source.name.endswith("far"):
        x += FAR
    if source.name.endswith("large"):
        _enlarge(x)
    return np.sign(x) if source.shape[-1:] == (1,) else x


def _enlarge(x: np.ndarray) -> None:
    x[0::4] = LARGE
    x[1::4] = -LARGE
    x[2::4] *= LARGE
    x[3::4] = 0


def _wide_ids(draw: np.random.Generator, shape: tuple[int, ...], vocabulary: int) -> np.ndarray:
    """All edges in the first example, any of them in the others."""
    edges = np.array([0, BYTE - 1, BYTE, WORD - 1, WORD, vocabulary - 1], np.int32)
    ids = draw.choice(edges, shape)
    ids[0] = np.resize(edges, shape[1:])
    return ids


def _targets(draw: np.random.Generator, workload: Workload, size: int) -> np.ndarray:
    loss, target = workload.task.loss, workload.target
    shape = (size, *target.shape)
    if loss.kind == "cross_entropy":
        classes = workload.model.types[workload.model.outputs[0]].shape[-1]
        labels = draw.integers(0, classes, shape).astype(np.int32)
        if loss.ignored is not None:
            labels.reshape(-1)[1::3] = loss.ignored
        return labels
    if loss.kind == "bce_with_logits":
        return draw.integers(0, 2, shape).astype(np.float32)
    return draw.normal(size=shape).astype(np.float32)
