"""What a program computes, by key: one procedure for the reference and for every contender."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program, Trainable, trainable
from ..spec.optimizers import Adam, Optimizer, Sgd, WarmupCosine
from ..spec.phases import PHASES, PIECES, Phase
from ..spec.workload import Workload
from .allowances import ADAPTIVE
from .far import observe_far
from .keys import Group, TensorKey, Tensors, keyed, outputs_of, slots_keyed

Build = Callable[[Workload], Program]
Prepare = Callable[[Program, Sequence[Any], Collection[Phase]], None]
"""(program, placed batches, phases): what a program goes through before it is observed,
which must not show.
"""
REACHED = 0.1
"""A norm that the gradients of an untrained network pass, where theirs is not there."""
JUST_BELOW = 0.9
"""A clip limit, as a share of the first gradients' norm: clipping that begins late shows."""
SHORT = WarmupCosine(warmup=2, steps=4, floor=0.25)
UPDATES = 2
"""So many updates by the same gradients are observed: the first must not serve for the second."""


class Initial(NamedTuple):
    """A program as it is timed.

    build: from initial weights   weights: those that a check starts from, which it loads then
    """

    build: Build
    weights: Mapping[str, np.ndarray]


def unprepared(program: Program, placed: Sequence[Any], phases: Collection[Phase]) -> None:
    """A program is observed as it was built."""


def optimizers_to_check(workload: Workload, norm: float | None = None) -> list[Optimizer]:
    """The workload's own, and one of the other family.

    Adaptive optimizers divide by the gradient's size: they hide a wrong loss scale,
    which SGD shows, and show what is wrong with a gradient too small to move an SGD step.
    The other one meets what the own one may not: a limit that gradients just pass where the own
    one clips, and a schedule that rises and has fallen in five steps where the own one has any.
    norm: of the first batch's gradients
    """
    own = workload.task.optimizer
    conditions = {
        "clip_norm": (JUST_BELOW * norm if norm else REACHED) if own.clip_norm else None,
        "schedule": SHORT if own.schedule else None,
    }
    if own.kind in ADAPTIVE:
        return [own, Sgd(learning_rate=0.01, **conditions)]
    return [own, Adam(**conditions)]


def with_optimizer(workload: Workload, optimizer: Optimizer) -> Workload:
    """The workload trained by another optimizer."""
    task = workload.task.model_copy(update={"optimizer": optimizer})
    return workload.model_copy(update={"task": task})


def observe(
    build: Build,
    workload: Workload,
    batches: Sequence[Batch],
    steps: Sequence[int],
    optimizers: Sequence[Optimizer] = (),
    phases: Collection[Phase] = PHASES,
    prepare: Prepare = unprepared,
    far: bool = True,
    initial: Initial | None = None,
    norm: float | None = None,
) -> Tensors:
    """Outputs, loss, gradients and state on the first batch, and what k steps make of the weights.

    Of a network for inference only what it infers.
    optimizers: those that train, one after the other; none for all that are to be checked.
    phases: those that are called, pieces among them; no other is.
    far: whether with numbers far from 1, too
    initial: how a program is built that trains by its own optimizer; None for as `build` does
    norm: of the first batch's gradients, by which the other optimizer clips

    Keys: every phase on the first batch, and once more with numbers far from 1, and with initial
    weights; the slots that each program begins with; for each optimizer
    and k the outputs and the loss that step k returns, the weights' changes p_k - p_0, slots and
    state; of the first optimizer also the pieces, and the outputs of inference,
    which tell whether it reads the updated weights.
    """
    own, *others = optimizers or optimizers_to_check(workload, norm)
    program = (build if initial is None else initial.build)(with_optimizer(workload, own))
    start = None if initial is None else initial.weights
    try:
        seen = observe_own(
            program, workload, own.kind, batches, steps, phases, prepare, far=far, start=start
        )
    finally:
        program.close()
    return seen | observe_others(build, workload, others, batches, steps, phases, prepare)


def observe_own(
    program: Program,
    workload: Workload,
    optimizer: str,
    batches: Sequence[Batch],
    steps: Sequence[int],
    phases: Collection[Phase],
    prepare: Prepare = unprepared,
    *,
    far: bool = True,
    start: Mapping[str, np.ndarray] | None = None,
) -> Tensors:
    """Every phase on the first batch, and what the workload's own steps leave.

    optimizer: the kind of its own
    start: weights to load once it has been observed with those that it was built from
    """
    called = {Phase.INFER} if workload.inference_only else set(phases)
    placed = put_all(program, batches)
    seen: Tensors = {}
    if Phase.TRAIN_STEP in called:
        seen |= slots_keyed(trainable(program).optimizer_state(), optimizer, step=0)
    if start is not None:
        seen |= _of_initial_weights(program, placed[0], called)
        program.load(start)
    prepare(program, placed, called)
    seen |= _single_pass(program, placed[0], called)
    if Phase.INFER in called and batches[0].size > 1:
        seen |= _inferred_in_parts(program, batches[0])
    if far:
        seen |= observe_far(program, workload, placed[0], called)
    if set(PIECES) & called:
        seen |= _pieces(trainable(program), optimizer, placed, called)
    if Phase.TRAIN_STEP in called:
        infers, back = Phase.INFER in called, prepare is not unprepared
        seen |= trajectory(trainable(program), optimizer, placed, steps, infers, back)
    return seen


def observe_others(
    build: Build,
    workload: Workload,
    optimizers: Sequence[Optimizer],
    batches: Sequence[Batch],
    steps: Sequence[int],
    phases: Collection[Phase],
    prepare: Prepare = unprepared,
) -> Tensors:
    """What steps of other optimizers leave, of each in a program of its own."""
    seen: Tensors = {}
    if workload.inference_only or Phase.TRAIN_STEP not in phases:
        return seen
    for optimizer in optimizers:
        program = trainable(build(with_optimizer(workload, optimizer)))
        try:
            placed = put_all(program, batches)
            seen |= slots_keyed(program.optimizer_state(), optimizer.kind, step=0)
            prepare(program, placed, {Phase.TRAIN_STEP})
            back = prepare is not unprepared
            seen |= trajectory(program, optimizer.kind, placed, steps, infers=False, back=back)
        finally:
            program.close()
    return seen


def put_all(program: Program, batches: Sequence[Batch]) -> list[Any]:
    """Batches on the device, and the arrays that they came from filled with zeros:
    what becomes of those must not matter.

    Batches of one size come in the same arrays: what was placed of these before is another batch.
    Before the first of a size come others that are like it in part, which must not serve for it;
    behind the last batch they come once more, and must not take the place of those in use.
    """
    placed: list[Any] = []
    lent: dict[int, Batch] = {}
    for batch in batches:
        copy = batch.rows(np.arange(batch.size))
        if batch.size not in lent:
            lent[batch.size] = batch.rows(np.arange(batch.size))
            _put_others(program, lent[batch.size], alike_in_part(batch))
        arrays = lent[batch.size]
        fill(arrays, copy)
        placed.append(program.put(arrays))
        _zero(arrays)
    for batch in {batch.size: batch for batch in batches}.values():
        _put_others(program, lent[batch.size], alike_in_part(batch))
        _zero(lent[batch.size])
    return placed


def _put_others(program: Program, arrays: Batch, others: Sequence[Batch]) -> None:
    for other in others:
        fill(arrays, other)
        program.put(arrays)


def _zero(batch: Batch) -> None:
    for array in _arrays(batch):
        array.fill(0)


def alike_in_part(batch: Batch) -> list[Batch]:
    """One with the same first row, one with the same last row, one that differs in a number."""
    rows = np.arange(batch.size)
    later, earlier = np.maximum(rows - 1, 0), np.minimum(rows + 1, batch.size - 1)
    one_off = batch.rows(rows)
    for array in one_off.inputs.values():
        places = array.reshape(-1)
        places[places.size // 2] = places[places.size // 2 - 1]
    return [batch.rows(later), batch.rows(earlier), one_off]


def fill(arrays: Batch, batch: Batch) -> None:
    """Write a batch into the arrays of another one of its size."""
    for array, values in zip(_arrays(arrays), _arrays(batch), strict=True):
        array[...] = values


def _arrays(batch: Batch) -> list[np.ndarray]:
    masks = [batch.masks[name] for name in sorted(batch.masks)]
    return [*(batch.inputs[name] for name in sorted(batch.inputs)), batch.targets, *masks]


def _inferred(program: Program, placed: Any) -> Tensors:
    return keyed(program.get(program.infer(placed)), Phase.INFER)


def _inferred_in_parts(program: Program, batch: Batch) -> Tensors:
    """The first example by itself, and the others together: one row, and mostly an odd number."""
    rows = np.arange(batch.size)
    parts = put_all(program, [batch.rows(rows[:1]), batch.rows(rows[1:])])
    first, others = (outputs_of(program.get(program.infer(part))) for part in parts)
    return {
        TensorKey(Group.PARTS, name, Phase.INFER): np.concatenate([array, others[name]])
        for name, array in first.items()
    }


def _single_pass(program: Program, placed: Any, phases: Collection[Phase]) -> Tensors:
    """Each of the phases but the step, called once."""
    if set(phases) - {Phase.INFER}:
        program = trainable(program)
    seen: Tensors = {}
    for phase in PHASES:
        if phase in phases and phase is not Phase.TRAIN_STEP:
            call = getattr(program, phase)
            seen |= keyed(program.get(call(placed)), phase)
    return seen


def _of_initial_weights(program: Program, placed: Any, phases: Collection[Phase]) -> Tensors:
    """The last phase before a step, and inference; a prediction is told by other logits."""
    passes = [phase for phase in (Phase.GRADIENTS, Phase.LOSS, Phase.FORWARD) if phase in phases]
    called = {*passes[:1], Phase.INFER} & set(phases)
    seen = _single_pass(program, placed, called).items()
    tensors = {key: array for key, array in seen if key.group is not Group.PREDICTION}
    return {key.of_initial_weights(): array for key, array in tensors.items()}


def _pieces(
    program: Trainable, optimizer: str, placed: Sequence[Any], phases: Collection[Phase]
) -> Tensors:
    """The loss of stored outputs, and what updates by stored gradients leave; the program stays
    where it was.

    Of a piece that the program does not have there is no tensor.
    """
    program.pieces(placed[-1])  # those of another batch must not serve for the first one
    pieces = program.pieces(placed[0])
    seen: Tensors = {}
    start, snapshot = weights_in_float64(program), program.snapshot()
    if Phase.UPDATE_ALONE in phases and Phase.UPDATE_ALONE in pieces:
        for _ in range(UPDATES):
            program.wait(pieces[Phase.UPDATE_ALONE]())
        seen |= _changed(program, start, optimizer, UPDATES, Phase.UPDATE_ALONE)
    if Phase.LOSS_ALONE in phases and Phase.LOSS_ALONE in pieces:
        # Under other weights: the loss is of stored outputs, which have not moved.
        seen |= keyed(program.get(pieces[Phase.LOSS_ALONE]()), Phase.LOSS_ALONE)
    program.restore(snapshot)
    return seen


def trajectory(
    program: Trainable,
    optimizer: str,
    placed: Sequence[Any],
    steps: Sequence[int],
    infers: bool,
    back: bool = False,
) -> Tensors:
    """What each of `steps` training steps returns and leaves, the batches one after the other.

    optimizer: its kind   placed: batches on the device
    infers: whether what is inferred from the first batch is observed too
    back: whether a step more is taken behind the first one, and taken back
    """
    start = weights_in_float64(program)
    seen: Tensors = {}
    for k in range(1, max(steps) + 1):
        result = program.train_step(placed[(k - 1) % len(placed)])
        program.wait(result)
        if k in steps:
            seen |= keyed(program.get(result), Phase.TRAIN_STEP, optimizer, k)
            seen |= _changed(program, start, optimizer, k)
            for name, array in program.model_state().items():
                seen[TensorKey(Group.STATE, name, Phase.TRAIN_STEP, optimizer, k)] = array
            if infers:
                seen |= _inferred_after(program, placed[0], optimizer, k)
        if back and k == 1 and max(steps) > 1:
            _there_and_back(program, placed[-1])
    return seen


def _there_and_back(program: Trainable, placed: Any) -> None:
    """A step that is taken back: from here on a snapshot holds more than weights that were given,
    slots of zeros and a count of 0.
    """
    snapshot = program.snapshot()
    program.wait(program.train_step(placed))
    program.restore(snapshot)


def weights_in_float64(program: Program) -> dict[str, np.ndarray]:
    """Parameters by name, to tell later what became of them."""
    return {name: array.astype(np.float64) for name, array in program.weights().items()}


def _changed(
    program: Trainable,
    start: Mapping[str, np.ndarray],
    optimizer: str,
    step: int,
    phase: Phase = Phase.TRAIN_STEP,
) -> Tensors:
    """Changes of weights, and slots, after some steps or updates."""
    moved = changed_weights(program, start, optimizer, step, phase)
    return moved | slots_keyed(program.optimizer_state(), optimizer, step, phase)


def changed_weights(
    program: Program,
    start: Mapping[str, np.ndarray],
    optimizer: str,
    step: int,
    phase: Phase = Phase.TRAIN_STEP,
) -> Tensors:
    """p_k - p_0 of every parameter."""
    seen: Tensors = {}
    for name, array in weights_in_float64(program).items():
        seen[TensorKey(Group.WEIGHTS, name, phase, optimizer, step)] = array - start[name]
    return seen


def _inferred_after(program: Program, placed: Any, optimizer: str, step: int) -> Tensors:
    """The outputs of the updated network, and not its prediction."""
    inferred = _inferred(program, placed).items()
    outputs = {key: array for key, array in inferred if key.group is Group.OUTPUTS}
    return {key.after(optimizer, step): array for key, array in outputs.items()}


def optimizer_by_kind(workload: Workload, kind: str, norm: float | None = None) -> Optimizer:
    """The optimizer whose trajectory a key names; norm: of the first batch's gradients."""
    return next(o for o in optimizers_to_check(workload, norm) if o.kind == kind)
