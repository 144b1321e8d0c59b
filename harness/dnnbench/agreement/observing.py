"""What a program computes, by key: one procedure for the reference and for every contender."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program, Trainable, trainable
from ..spec.optimizers import Adam, Optimizer, Sgd
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .allowances import ADAPTIVE
from .keys import Group, TensorKey, Tensors, keyed, slots_keyed

Build = Callable[[Workload], Program]


def optimizers_to_check(workload: Workload) -> list[Optimizer]:
    """The workload's own, and one of the other family.

    Adaptive optimizers divide by the gradient's size: they hide a wrong loss scale,
    which SGD shows, and show what is wrong with a gradient too small to move an SGD step.
    """
    own = workload.task.optimizer
    return [own, Sgd(learning_rate=0.01) if own.kind in ADAPTIVE else Adam()]


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
) -> Tensors:
    """Outputs, loss, gradients and state on the first batch, and what k steps make of the weights.

    Of a network for inference only what it infers.
    optimizers: those that train, one after the other; none for all that are to be checked.
    phases: those that are called; no other is.

    Keys: every phase on the first batch; for each optimizer and k the weights' changes p_k - p_0,
    slots and state; of the first optimizer also the outputs of inference,
    which tell whether it reads the updated weights.
    """
    own, *others = optimizers or optimizers_to_check(workload)
    called = {Phase.INFER} if workload.inference_only else set(phases)
    seen = _observe_own(build(with_optimizer(workload, own)), own.kind, batches, steps, called)
    for optimizer in others if Phase.TRAIN_STEP in called else ():
        program = trainable(build(with_optimizer(workload, optimizer)))
        try:
            seen |= trajectory(program, optimizer.kind, batches, steps, infers=False)
        finally:
            program.close()
    return seen


def _observe_own(
    program: Program,
    optimizer: str,
    batches: Sequence[Batch],
    steps: Sequence[int],
    phases: Collection[Phase],
) -> Tensors:
    """Every phase on the first batch, and what the workload's own steps leave.

    Closes the program.
    """
    try:
        seen = _single_pass(program, batches[0], phases)
        if Phase.TRAIN_STEP in phases:
            infers = Phase.INFER in phases
            seen |= trajectory(trainable(program), optimizer, batches, steps, infers)
        return seen
    finally:
        program.close()


def _inferred(program: Program, placed: Any) -> Tensors:
    return keyed(program.get(program.infer(placed)), Phase.INFER)


def _single_pass(program: Program, batch: Batch, phases: Collection[Phase]) -> Tensors:
    """Each of the phases but the step, called once."""
    if set(phases) - {Phase.INFER}:
        program = trainable(program)
    placed = program.put(batch)
    seen: Tensors = {}
    for phase in PHASES:
        if phase in phases and phase is not Phase.TRAIN_STEP:
            call = getattr(program, phase)
            seen |= keyed(program.get(call(placed)), phase)
    return seen


def trajectory(
    program: Trainable, optimizer: str, batches: Sequence[Batch], steps: Sequence[int], infers: bool
) -> Tensors:
    """What is left after each of `steps` training steps, the batches one after the other.

    optimizer: its kind   infers: whether the outputs of inference are observed too
    """
    start = {name: array.astype(np.float64) for name, array in program.weights().items()}
    seen: Tensors = {}
    for k in range(1, max(steps) + 1):
        program.wait(program.train_step(program.put(batches[(k - 1) % len(batches)])))
        if k in steps:
            seen |= _updated(program, start, optimizer, k)
            if infers:
                seen |= _inferred_after(program, batches[0], optimizer, k)
    return seen


def _updated(
    program: Trainable, start: Mapping[str, np.ndarray], optimizer: str, step: int
) -> Tensors:
    """Changes of weights, slots and state after some steps."""
    seen: Tensors = {}
    for name, array in program.weights().items():
        key = TensorKey(Group.WEIGHTS, name, Phase.TRAIN_STEP, optimizer, step)
        seen[key] = array.astype(np.float64) - start[name]
    seen |= slots_keyed(program.optimizer_state(), optimizer, step)
    for name, array in program.model_state().items():
        seen[TensorKey(Group.STATE, name, Phase.TRAIN_STEP, optimizer, step)] = array
    return seen


def _inferred_after(program: Program, batch: Batch, optimizer: str, step: int) -> Tensors:
    """The outputs of the updated network, and not its prediction."""
    inferred = _inferred(program, program.put(batch)).items()
    outputs = {key: array for key, array in inferred if key.group is Group.OUTPUTS}
    return {key.after(optimizer, step): array for key, array in outputs.items()}


def optimizer_by_kind(workload: Workload, kind: str) -> Optimizer:
    """The optimizer whose trajectory a key names."""
    return next(o for o in optimizers_to_check(workload) if o.kind == kind)
