"""Conditions that examples or a few steps may not meet: made to happen where the check can,
named where it cannot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..protocol.batch import Batch
from ..spec.losses import CrossEntropy
from ..spec.workload import Workload


def meeting(workload: Workload, batch: Batch) -> Batch:
    """A batch in which each condition of the examples is met in either direction.

    The first ids of each table's input are its first row, its second and its last: the ids that
    are commonly those of padding, and the one that the narrowest integer loses. The first labels
    that count are the last class and the first. One label at least does not count, where some may
    not, and one key at least is hidden, where a mask may hide some.
    """
    inputs = dict(batch.inputs)
    for name, size in workload.model.vocabularies.items():
        if name in inputs:
            inputs[name] = _beginning(inputs[name], list(dict.fromkeys((0, 1 % size, size - 1))))
    for source in workload.model.inputs:
        if source.dtype == "bool":
            inputs[source.name] = _hiding_one(inputs[source.name])
    return replace(batch, inputs=inputs, targets=_labels(workload, batch.targets))


def _beginning(ids: np.ndarray, first: Sequence[int]) -> np.ndarray:
    changed = ids.copy()
    places = changed.reshape(-1)
    count = min(len(first), places.size)
    places[:count] = first[:count]
    return changed


def _hiding_one(mask: np.ndarray) -> np.ndarray:
    """The last key of the first example, unless something is hidden, or it is the only one."""
    if mask.shape[-1] < 2 or not mask.all():
        return mask
    changed = mask.copy()
    changed[0, ..., -1] = False
    return changed


def _labels(workload: Workload, targets: np.ndarray) -> np.ndarray:
    loss = workload.task.loss
    if workload.inference_only or not isinstance(loss, CrossEntropy):
        return targets
    classes = workload.model.types[workload.model.outputs[0]].shape[-1]
    changed = targets.copy()
    labels = changed.reshape(-1)
    if loss.ignored is not None and labels.size > 1 and not np.any(labels == loss.ignored):
        labels[-1] = loss.ignored
    counted = np.ones(labels.shape, bool) if loss.ignored is None else labels != loss.ignored
    places = np.flatnonzero(counted)[:2]
    labels[places] = (classes - 1, 0)[: len(places)]
    return changed


def unmet(
    workload: Workload, batches: Sequence[Batch], steps: int, gradient_norm: float | None
) -> Iterator[str]:
    """What so many steps on some batches do not exercise, in words.

    gradient_norm: of the first batch, over all parameters; None where it is not there
    """
    optimizer = workload.task.optimizer
    schedule, limit = optimizer.schedule, optimizer.clip_norm
    if schedule is not None and schedule.steps > steps > 0:
        yield f"{optimizer.kind}'s schedule from step {steps + 1} to {schedule.steps}"
    if limit is not None and gradient_norm is not None and steps > 0:
        where = "below" if gradient_norm > limit else "above"
        yield f"gradients {where} {optimizer.kind}'s clip limit of {limit:g} in the first step"
    for name, size in workload.model.vocabularies.items():
        arrays = [batch.inputs[name] for batch in batches if name in batch.inputs]
        if not arrays:
            continue
        read = len(np.unique(np.concatenate([array.reshape(-1) for array in arrays])))
        if read < size:
            yield f"{size - read:,} of {size:,} rows that '{name}' may look up"
