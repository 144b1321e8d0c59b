"""The known fault behind a wrong tensor: under it the reference would have computed just that."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..agreement.keys import Group, TensorKey, Tensors
from ..agreement.nodes import REPEATED
from ..agreement.replay import Replay
from ..spec.phases import Phase
from ..spec.weights import initial_weights
from .conventions import CONVENTIONS, Convention, ReplayedPart, Variant
from .patterns import patterns
from .update_rules import rules_for, trajectory_under
from .wrong_tensor import WrongTensor

UNKNOWN = "no known convention"
NOT_FINITE = "numbers that are not finite"

Compute = Callable[[Replay], Tensors]
"""The reference's tensors of a replay."""


def fault_of_node(
    kind: str,
    replay: Replay,
    wrong: WrongTensor,
    reference: Mapping[TensorKey, np.ndarray],
    reason: str,
    compute: Compute,
) -> str:
    """The known fault of an op or loss that was replayed alone; `reason` is the comparison's."""
    if not np.all(np.isfinite(wrong.a)):
        return NOT_FINITE
    weights = initial_weights(replay.workload.model, 0) | dict(replay.weights)
    part = ReplayedPart(replay, wrong.key, reference, weights)
    if wrong.key.optimizer:
        return _fault_after_a_step(kind, part, wrong, reason, compute)
    best = _best_convention(kind, part, wrong, compute)
    examples = len(replay.batches[0].targets)
    return best or next(patterns(wrong, examples, reference), UNKNOWN)


ROUNDING = 0.1
"""Share of what the rule allows that honest rounding itself takes: no other convention is sought
where no more is left.
"""


def _best_convention(kind: str, part: ReplayedPart, wrong: WrongTensor, compute: Compute) -> str:
    """Of those under which the rule would let the tensor pass, the one that leaves least error."""
    least, name = float("inf"), ""
    for convention in CONVENTIONS.get(kind, ()):
        room = wrong.in_single if convention.coarse else wrong.room
        if room is None:
            continue
        left = wrong.left_by(_under(convention, part, part.key, compute), room)
        if left <= ROUNDING * room.rmse:
            return convention.name
        if left < least:
            least, name = left, convention.name
    return name


def _under(
    convention: Convention, part: ReplayedPart, key: TensorKey, compute: Compute
) -> np.ndarray | None:
    """The tensor as the reference computes it under a convention; None where it does not apply."""
    answer = convention.apply(part)
    if not isinstance(answer, Variant):
        return answer
    tensors = compute(answer.replay)
    return answer.after(tensors[key]) if key in tensors else None


def _fault_after_a_step(
    kind: str, part: ReplayedPart, wrong: WrongTensor, reason: str, compute: Compute
) -> str:
    """Of a tensor that was right at first and is wrong after a step."""
    key = wrong.key
    if key.group is Group.STATE and key.phase is Phase.TRAIN_STEP:
        return _fault_of_statistics(part, wrong)
    if REPEATED in reason:
        return "an answer kept from before the step (cached)"
    before = key.before_training
    if before is None or key.phase is Phase.TRAIN_STEP:
        return UNKNOWN
    stale = compute(_with_first_weights(part, key))
    if wrong.is_explained_by(stale.get(before)):
        return "stale weights (those of before the step)"
    return _best_convention(kind, _at_its_step(part, key, compute), wrong, compute) or UNKNOWN


def _fault_of_statistics(part: ReplayedPart, wrong: WrongTensor) -> str:
    """Of running statistics that a step has left."""
    for words, array in _kept_statistics(part, wrong.key):
        if wrong.is_explained_by(array):
            return words
    return UNKNOWN


def _kept_statistics(part: ReplayedPart, key: TensorKey) -> Iterator[tuple[str, np.ndarray]]:
    """What running statistics would be had a step not moved them, or by another batch."""
    start = part.weights[key.name].astype(np.float64)
    yield "running statistics not updated", start
    before = key.after(key.optimizer, key.step - 1)
    if before not in part.reference:
        return
    yield "running statistics not updated (those of the step before)", part.reference[before]
    first_pass = part.reference[TensorKey(Group.STATE, key.name)]
    kept = part.op.momentum
    of_first_batch = (first_pass - kept * start) / (1 - kept)
    moved = kept * part.reference[before] + (1 - kept) * of_first_batch
    yield "statistics of an earlier batch", moved


def _at_its_step(part: ReplayedPart, key: TensorKey, compute: Compute) -> ReplayedPart:
    """The part where a step has left it, as one that starts there."""
    weights = dict(part.replay.weights)
    for name, array in part.weights.items():
        moved = TensorKey(Group.WEIGHTS, name, Phase.TRAIN_STEP, *key.trajectory)
        state = TensorKey(Group.STATE, name, Phase.TRAIN_STEP, *key.trajectory)
        if moved in part.reference:
            weights[name] = array + part.reference[moved]
        elif state in part.reference:
            weights[name] = part.reference[state]
    batches = part.replay.batches
    batch = batches[-1:] if key.phase is Phase.GRADIENTS else batches[:1]
    replay = replace(part.replay, batches=batch, steps=(), weights=weights)
    start = TensorKey(key.group, key.name, key.phase)
    return ReplayedPart(replay, start, compute(replay), weights)


def _with_first_weights(part: ReplayedPart, key: TensorKey) -> Replay:
    """The replay after a step of its inputs, which are learned as offsets,
    and not of its weights.
    """
    offsets = {}
    for constant in part.model.constants:
        if part.is_offset(constant.name):
            moved = TensorKey(Group.WEIGHTS, constant.name, Phase.TRAIN_STEP, *key.trajectory)
            offsets[constant.name] = part.reference[moved]
    batches = part.replay.batches
    of_next_batch = key.phase is Phase.GRADIENTS
    batch = batches[-1:] if of_next_batch else batches[:1]
    return replace(
        part.replay,
        batches=batch,
        steps=(),
        weights={**part.replay.weights, **offsets},
    )


@dataclass(frozen=True)
class OptimizerFault:
    """A known fault of a step, and the phase to blame for it where it is not the optimizer's."""

    words: str
    phase: Phase | None = None


def fault_of_optimizer(
    replay: Replay,
    wrong: Mapping[TensorKey, WrongTensor],
    right: Mapping[TensorKey, WrongTensor],
) -> OptimizerFault:
    """The rule that moves the replayed parameters as the contender does, in every step and slot.

    right: tensors that agree, as the reference has them: a rule must not move them elsewhere
    """
    weights, optimizer = dict(replay.weights), replay.workload.task.optimizer
    built_from = replay.built_from
    if not all(np.all(np.isfinite(tensor.a)) for tensor in wrong.values()):
        return OptimizerFault(NOT_FINITE)
    flat = replay.batches[0].targets[0].astype(np.float64)
    targets = _by_parameter(flat, weights)
    for rule in rules_for(replay.steps):
        under = trajectory_under(
            rule, optimizer, weights, targets, flat.size, replay.steps, {**weights, **built_from}
        )
        if under is not None and _explains_all(under, wrong, right):
            return OptimizerFault(rule.name, rule.phase)
    of_each = [list(patterns(tensor, 1, {})) for tensor in wrong.values()]
    shared = [words for words in of_each[0] if all(words in others for others in of_each)]
    return OptimizerFault(shared[0] if shared else UNKNOWN)


def _by_parameter(flat: np.ndarray, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each parameter's targets, behind the input's, as `optimizer_alone` joins them."""
    ends = np.cumsum([1, *(p.size for p in weights.values())])
    parts = [flat[i:j] for i, j in pairwise(ends)]
    return dict(zip(weights, parts, strict=True))


def _explains_all(
    tensors: Tensors,
    wrong: Mapping[TensorKey, WrongTensor],
    right: Mapping[TensorKey, WrongTensor],
) -> bool:
    explained = all(tensor.is_explained_by(tensors.get(key)) for key, tensor in wrong.items())
    return explained and all(
        tensor.admits(tensors[key]) for key, tensor in right.items() if key in tensors
    )


def most_telling_first(keys: Sequence[TensorKey]) -> list[TensorKey]:
    """Values, statistics, inference, loss, gradients by example and by parameter,
    what a step leaves.
    """
    return sorted(keys, key=_rank)


def _rank(key: TensorKey) -> int:
    order = (
        (Phase.GRADIENTS, Group.ACTIVATIONS),
        (Phase.GRADIENTS, Group.OUTPUTS),
        (Phase.GRADIENTS, Group.STATE),
        (Phase.INFER, Group.OUTPUTS),
        (Phase.GRADIENTS, Group.LOSS),
        (Phase.GRADIENTS, Group.COTANGENTS),
        (Phase.GRADIENTS, Group.GRADIENTS),
    )
    place = key.phase, key.group
    return order.index(place) if place in order and not key.optimizer else len(order)
