"""The batch that is timed, held against the reference, or against the arm's own small batches."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program, trainable
from ..spec.costs import node_costs, training_step
from ..spec.losses import CrossEntropy
from ..spec.ops.norm import BatchNorm
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .allowances import BUDGET, CHECK_BATCH
from .comparing import compare
from .comparison import TensorComparison
from .deviation import most, rms
from .keys import Family, Group, TensorKey, Tensors, keyed
from .observing import observe_own, put_all
from .reference import Reference

STEP = 1
"""So many steps on the timed batch."""


class How(StrEnum):
    """How the timed batch is held against something."""

    WHOLE = "the timed batch whole"
    IN_PARTS = f"the timed batch against its rows in batches of {CHECK_BATCH}"
    INFERENCE = f"the timed batch's inference against its rows in batches of {CHECK_BATCH}"
    NOT = "the timed batch not at all"


def how(workload: Workload, rows: int) -> How:
    """By what it costs: whole where one float64 evaluation is cheap, else in parts.

    A network whose training takes statistics over the batch gives its rows other values in
    another batch, so that its inference alone is held against parts, and nothing of a single row.
    """
    together = mixes_rows(workload)
    step = training_step(workload, rows, itemsize=8)
    forward = sum(row.forward_flops for row in node_costs(workload.model, rows))
    if PASSES * step.flops <= BUDGET.whole_flops and step.memory_bytes <= BUDGET.whole_bytes:
        return How.WHOLE
    if is_level_row(workload, rows):
        return How.NOT
    if 2 * step.flops <= BUDGET.parts_flops and not (together or workload.inference_only):
        return How.IN_PARTS
    return How.INFERENCE if 2 * forward <= BUDGET.parts_flops else How.NOT


def mixes_rows(workload: Workload) -> bool:
    """Whether training takes statistics over the batch, so that its rows depend on each other."""
    return any(isinstance(node.op, BatchNorm) for node in workload.model.nodes)


def is_level_row(workload: Workload, rows: int) -> bool:
    """Whether it is one row of such a network: its statistics may be of a single value each."""
    return rows == 1 and mixes_rows(workload)


PASSES = 4
"""All phases of an evaluation cost less than so many training steps."""


def observe_timed(
    program: Program, workload: Workload, batch: Batch, phases: Collection[Phase]
) -> Tensors:
    """Every phase on the timed batch, and what one of the workload's own steps makes of it."""
    own, whole = workload.task.optimizer.kind, set(phases) & set(PHASES)
    return observe_own(program, workload, own, [batch], (STEP,), whole, far=False)


def compare_timed(
    program: Program,
    workload: Workload,
    dtype: str,
    reference: Reference,
    batch: Batch,
    phases: Collection[Phase],
) -> list[TensorComparison]:
    """The arm's tensors of the timed batch, by the allowances of the small one, relative.

    program: of the workload's own optimizer. Where it has met smaller batches before, what was made
    for their shape must not serve for this one.
    """
    match how(workload, batch.size):
        case How.NOT:
            return []
        case How.WHOLE:
            called: Collection[Phase] = set(phases) & set(PHASES)
            wanted = reference.timed
            observed = observe_timed(program, workload, batch, called)
        case by_rows:
            called = _asked_in_parts(by_rows, phases)
            wanted = _in_parts(program, workload, batch, called)
            observed = _passes(program, batch, called)
    scaled = scaled_reference(reference, wanted, batch.size)
    return compare(scaled, observed, workload, dtype, called)


def _asked_in_parts(by_rows: How, phases: Collection[Phase]) -> set[Phase]:
    both = {Phase.INFER, Phase.GRADIENTS} if by_rows is How.IN_PARTS else {Phase.INFER}
    return both & set(phases)


def _passes(program: Program, batch: Batch, phases: Collection[Phase]) -> Tensors:
    (placed,) = put_all(program, [batch])
    seen: Tensors = {}
    if Phase.INFER in phases:
        seen |= keyed(program.get(program.infer(placed)), Phase.INFER)
    if Phase.GRADIENTS in phases:
        trained = trainable(program)
        seen |= keyed(trained.get(trained.gradients(placed)), Phase.GRADIENTS)
    return {key: array for key, array in seen.items() if key.group is not Group.PREDICTION}


def _in_parts(
    program: Program, workload: Workload, batch: Batch, phases: Collection[Phase]
) -> Tensors:
    """What the arm's small batches make of the whole: rows one after the other, means weighted."""
    starts = range(0, batch.size, CHECK_BATCH)
    parts = [batch.rows(slice(start, start + CHECK_BATCH)) for start in starts]
    weights = np.array([_labels(workload, part) for part in parts], np.float64)
    seen = [_passes(program, part, phases) for part in parts]
    return {key: _joined(key, [one[key] for one in seen], weights) for key in seen[0]}


def _joined(key: TensorKey, arrays: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    if key.by_example:
        return np.concatenate(arrays)
    wide = np.stack([array.astype(np.float64) for array in arrays])
    mean: np.ndarray = np.tensordot(weights / weights.sum(), wide, axes=1)
    return mean.astype(arrays[0].dtype)


def _labels(workload: Workload, part: Batch) -> int:
    """Over how many labels a part's loss is the mean."""
    loss = workload.task.loss
    if isinstance(loss, CrossEntropy) and loss.ignored is not None:
        return int(np.sum(part.targets != loss.ignored))
    return part.size


def scaled_reference(reference: Reference, wanted: Tensors, rows: int) -> Reference:
    """`wanted` as R, with errors that are to it as the small batch's are to its own R.

    A mean over more rows may cancel where one over fewer does not: no error is taken for smaller
    than the small batch's, averaged over the rows, nor than what was measured on `wanted` itself.
    """
    averaged = (min(CHECK_BATCH, rows) / rows) ** 0.5

    def scaled(errors: Mapping[TensorKey, float]) -> dict[TensorKey, float]:
        relative = _relative(errors, reference.tensors)
        sizes = {key: relative[key] * rms(wanted[key]) for key in wanted}
        return {key: most(sizes[key], averaged * errors[key]) for key in wanted}

    return replace(
        reference,
        tensors=wanted,
        sigma=_at_least(scaled(reference.sigma), reference.timed_sigma),
        peak=_at_least(scaled(reference.peak), reference.timed_peak),
        sigma_kink=_at_least(scaled(reference.sigma_kink), reference.timed_kink),
        zero={key: np.full(wanted[key].shape, reference.zero[key].all()) for key in wanted},
        level=tuple(dict.fromkeys((*reference.level, *reference.timed_level))),
        timed={},
        timed_sigma={},
        timed_peak={},
        timed_kink={},
    )


def _at_least(
    errors: Mapping[TensorKey, float], measured: Mapping[TensorKey, float]
) -> dict[TensorKey, float]:
    return {key: most(error, measured.get(key, 0.0)) for key, error in errors.items()}


def _relative(errors: Mapping[TensorKey, float], tensors: Tensors) -> dict[TensorKey, float]:
    """Error over size; of a tensor that is zero throughout, the largest of its family."""
    sizes = {key: rms(r) for key, r in tensors.items()}
    relative = {key: errors[key] / size for key, size in sizes.items() if size}
    largest: dict[Family, float] = {}
    for key, share in relative.items():
        largest[key.family] = most(largest.get(key.family, 0.0), share)
    return {key: relative.get(key, largest.get(key.family, 0.0)) for key in tensors}
