"""Raw arrays made into exactly what a network reads, or refused with the reason."""

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from ..errors import DataError
from ..spec.losses import CrossEntropy
from ..spec.tensor import TensorType
from ..spec.workload import Workload
from .arrays import RawArrays
from .images import channels_last
from .sight import check_sight

NUMBERS = "biuf"
"""NumPy's kinds of numbers and truth values; text, objects and complex numbers are refused."""
ELEMENTS = {"float": np.float32, "int32": np.int32, "bool": np.bool_}


def class_count(workload: Workload) -> int:
    """How many classes the logits distinguish."""
    return workload.model.types[workload.model.outputs[0]].shape[-1]


def fit_part(
    raw: RawArrays, workload: Workload, part: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """(inputs by name, targets) of part 'train' or 'test', shaped and typed
    as the workload reads them.
    """
    arrays: Mapping[str, np.ndarray] = getattr(raw, f"x_{part}")
    targets: np.ndarray = getattr(raw, f"y_{part}")
    inputs = {}
    for source in workload.model.inputs:
        what = f"x_{part}, input '{source.name}'"
        inputs[source.name] = _fit(arrays[source.name], source.type, raw, what)
    _no_one_hot(targets, workload, f"{raw.where}: y_{part}")
    y = _fit(targets, workload.target, raw, f"y_{part}")
    # From here on the arrays have their types: ids and labels can be held against their ranges.
    _same_length(raw.where, part, inputs, y)
    for name, size in workload.model.vocabularies.items():
        _ids_in_range(inputs[name], size, f"{raw.where}: x_{part}, input '{name}'")
    check_sight(workload.model, inputs, f"{raw.where}: x_{part}")
    _targets_fit(y, workload, f"{raw.where}: y_{part}")
    return inputs, y


def _no_one_hot(targets: np.ndarray, workload: Workload, where: str) -> None:
    if workload.task.loss.kind != "cross_entropy":
        return
    labels = workload.target.shape
    if targets.shape[1:] == (*labels, class_count(workload)):
        raise DataError(
            f"{where}: got shape {targets.shape}, a number for each class (one-hot), "
            f"expected the number of the class, {_batched(labels)}; give y.argmax(-1)"
        )


def _batched(shape: Sequence[int]) -> str:
    """The shape of n examples as an error writes it: (n, 8, 8)."""
    return f"({', '.join(['n', *map(str, shape)])})"


def _fit(array: np.ndarray, wanted: TensorType, raw: RawArrays, what: str) -> np.ndarray:
    where = f"{raw.where}: {what}"
    return fit_array(channels_last(array, wanted, raw.layout, where), wanted, where)


def fit_array(array: np.ndarray, wanted: TensorType, where: str) -> np.ndarray:
    """(n, ...) as `wanted` types one example: float32, int32 or bool.

    Reshaped where only joined or single axes differ: (n, 64) becomes (n, 8, 8, 1) and back,
    but (n, 3, 8, 8) does not become (n, 8, 8, 3), which would mix up its pixels.
    """
    if array.dtype.kind not in NUMBERS:
        raise DataError(
            f"{where}: got elements of type {array.dtype}, expected numbers; convert them first"
        )
    if array.ndim < 1 or not _reshapable(array.shape[1:], wanted.shape):
        raise DataError(
            f"{where}: got shape {array.shape}, expected {_batched(wanted.shape)}; "
            "reshape or transpose it"
        )
    _values_fit(array, wanted, where)
    return np.ascontiguousarray(array.reshape(len(array), *wanted.shape), ELEMENTS[wanted.kind])


def _reshapable(got: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    got_axes = [n for n in got if n != 1]
    wanted_axes = [n for n in wanted if n != 1]
    if got_axes == wanted_axes:
        return True
    one_is_flat = len(got_axes) == 1 or len(wanted_axes) == 1
    return one_is_flat and prod(got) == prod(wanted)


def _values_fit(array: np.ndarray, wanted: TensorType, where: str) -> None:
    largest = np.finfo(np.float32).max
    if array.dtype.kind == "f" and not (np.abs(array) <= largest).all():
        raise DataError(
            f"{where}: got NaN, infinity or a number too large for float32; clean the data first"
        )
    if wanted.kind == "float" or array.dtype.kind == "b" or not array.size:
        return
    lo, hi = (0, 1) if wanted.kind == "bool" else (-(2**31), 2**31 - 1)
    whole = bool((array == np.floor(array)).all())
    if not whole or array.min() < lo or array.max() > hi:
        raise DataError(
            f"{where}: got {array.dtype} from {array.min()} to {array.max()}, "
            f"expected whole numbers from {lo} to {hi}; {_number_advice(wanted, whole)}"
        )


def _number_advice(wanted: TensorType, whole: bool) -> str:
    if not whole:
        return "round them"
    if wanted.kind == "bool":
        return "give 0 for no and 1 for yes"
    return "renumber them from 0 on"


def _same_length(where: str, part: str, inputs: dict[str, np.ndarray], targets: np.ndarray) -> None:
    for name, array in inputs.items():
        if len(array) != len(targets):
            counts = f"{len(array)} examples of input '{name}' but {len(targets)} targets"
            raise DataError(f"{where}: {part} part has {counts}; give one target an example")
    if not len(targets):
        raise DataError(f"{where}: {part} part has no example; give at least one")


def _ids_in_range(ids: np.ndarray, size: int, where: str) -> None:
    if ids.min() < 0 or ids.max() >= size:
        raise DataError(
            f"{where}: got ids {ids.min()} to {ids.max()}, "
            f"expected 0 to {size - 1} for a table of {size} rows; "
            "renumber the ids or enlarge the table"
        )


def _targets_fit(y: np.ndarray, workload: Workload, where: str) -> None:
    loss = workload.task.loss
    if isinstance(loss, CrossEntropy):
        counted = np.ones(y.shape, bool) if loss.ignored is None else y != loss.ignored
        _some_count(counted, loss.ignored, where)
        _labels_in_range(y[counted], class_count(workload), loss.ignored, where)
    elif loss.kind == "bce_with_logits" and (y.min() < 0 or y.max() > 1):
        raise DataError(
            f"{where}: got targets {y.min()} to {y.max()}, expected 0 (no) to 1 (yes); rescale them"
        )


def _some_count(counted: np.ndarray, ignored: int | None, where: str) -> None:
    """One label at least an example, so that every batch has one whatever its size."""
    empty = np.flatnonzero(~counted.reshape(len(counted), -1).any(axis=1))
    if len(empty):
        raise DataError(
            f"{where}: all labels of example {empty[0]} are {ignored}, which is ignored; "
            "leave it out"
        )


def _labels_in_range(labels: np.ndarray, classes: int, ignored: int | None, where: str) -> None:
    outside = np.unique(labels[(labels < 0) | (labels >= classes)])
    if len(outside):
        advice = _label_advice(outside.tolist(), int(labels.min()), classes, ignored)
        raise DataError(
            f"{where}: got labels {labels.min()} to {labels.max()}, "
            f"expected 0 to {classes - 1} for a network of {classes} classes; {advice}"
        )


def _label_advice(outside: list[int], lowest: int, classes: int, ignored: int | None) -> str:
    """What labels outside of the classes mostly are: counted from 1, or a mark of what
    does not count.
    """
    if outside == [classes] and lowest == 1:
        return "they count from 1: subtract 1"
    others = "renumber the labels or widen the last layer"
    if len(outside) > 1 or outside == [classes]:
        return others
    mark = outside[0]
    kept = mark if mark < 0 else ignored or -1
    rewrite = "" if kept == mark else f", and write {kept} for it: y[y == {mark}] = {kept}"
    return (
        f"if {mark} marks what does not count, give the loss ignored = {kept}{rewrite}; "
        f"if it is a class, {others}"
    )
