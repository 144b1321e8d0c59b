"""The known fault behind a wrong tensor: under it the reference would have computed just that."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..agreement.keys import Group, TensorKey, Tensors
from ..agreement.nodes import REPEATED
from ..agreement.replay import Replay
from ..spec.phases import Phase
from ..spec.weights import initial_weights
from .conventions import CONVENTIONS, Convention, ReplayedPart, Variant
from .patterns import patterns
from .update_rules import RULES, trajectory_under
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
        return _fault_after_a_step(part, wrong, reason, compute)
    best = _best_convention(CONVENTIONS.get(kind, ()), part, wrong, compute)
    examples = len(replay.batches[0].targets)
    return best or next(patterns(wrong, examples, reference), UNKNOWN)


def _best_convention(
    conventions: Iterable[Convention], part: ReplayedPart, wrong: WrongTensor, compute: Compute
) -> str:
    """The one that leaves the least error; the first that leaves no more than honest rounding."""
    least, name = float("inf"), ""
    for convention in conventions:
        left = wrong.left_by(_under(convention, part, wrong.key, compute))
        if left <= 2 * wrong.allowed:
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
    part: ReplayedPart, wrong: WrongTensor, reason: str, compute: Compute
) -> str:
    """Of a tensor that was right at first and is wrong after a step."""
    key = wrong.key
    if REPEATED in reason:
        return "an answer kept from before the step (cached)"
    kept_state = key.group is Group.STATE and key.phase is Phase.TRAIN_STEP
    if kept_state and wrong.is_explained_by(part.weights[key.name]):
        return "running statistics not updated"
    before = key.before_training
    stale = compute(_with_first_weights(part, key))
    if before is not None and wrong.is_explained_by(stale.get(before)):
        return "stale weights (those of before the step)"
    return "something kept from before the step"


def _with_first_weights(part: ReplayedPart, key: TensorKey) -> Replay:
    """The replay after a step of its inputs, which are learned as offsets,
    and not of its weights.
    """
    offsets = {}
    for constant in part.model.constants:
        if part.is_offset(constant.name):
            moved = TensorKey(Group.WEIGHTS, constant.name, Phase.TRAIN_STEP, *key.trajectory)
            offsets[constant.name] = part.reference[moved].astype(np.float32)
    batches = part.replay.batches
    of_next_batch = key.phase is Phase.GRADIENTS
    batch = batches[-1:] if of_next_batch else batches[:1]
    return replace(
        part.replay,
        batches=batch,
        steps=(),
        weights={**part.replay.weights, **offsets},
    )


def fault_of_optimizer(replay: Replay, wrong: Mapping[TensorKey, WrongTensor]) -> str:
    """The rule that moves the replayed parameters as the contender does, in every step and slot."""
    weights, optimizer = dict(replay.weights), replay.workload.task.optimizer
    if not all(np.all(np.isfinite(tensor.a)) for tensor in wrong.values()):
        return NOT_FINITE
    flat = replay.batches[0].targets[0].astype(np.float64)
    targets = _by_parameter(flat, weights)
    for rule in RULES:
        under = trajectory_under(rule, optimizer, weights, targets, flat.size, replay.steps)
        if under is not None and _explains_all(under, wrong):
            return rule.name
    for tensor in wrong.values():
        for pattern in patterns(tensor, 1, {}):
            return pattern
    return UNKNOWN


def _by_parameter(flat: np.ndarray, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each parameter's targets, behind the input's, as `optimizer_alone` joins them."""
    ends = np.cumsum([1, *(p.size for p in weights.values())])
    parts = [flat[i:j] for i, j in pairwise(ends)]
    return dict(zip(weights, parts, strict=True))


def _explains_all(tensors: Tensors, wrong: Mapping[TensorKey, WrongTensor]) -> bool:
    return all(tensor.is_explained_by(tensors.get(key)) for key, tensor in wrong.items())


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
