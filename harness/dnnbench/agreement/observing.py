"""What a program computes, by key: one procedure for the reference and for every contender."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import DeviceBatch, Program, Trainable, trainable
from ..spec.optimizers import Adam, Optimizer, Sgd
from ..spec.phases import Phase
from ..spec.workload import Workload
from .allowances import ADAPTIVE
from .keys import Group, TensorKey, Tensors, keyed, slots_keyed

Build = Callable[[Workload], Program]


def optimizers_to_check(workload: Workload) -> list[Optimizer]:
    """The workload's own, and one of the other family.

    Adaptive optimizers divide by the gradient's size: they hide a wrong loss scale, which SGD shows,
    and show what is wrong with a gradient too small to move an SGD step.
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
) -> Tensors:
    """Outputs, loss, gradients and state on the first batch, and what k steps make of the weights.

    Of a network that nobody trains only what it infers.
    optimizers: those that train, one after the other; none for all that are to be checked.

    Keys: every phase on the first batch; for each optimizer and k the weights' changes p_k - p_0,
    slots and state; of the first optimizer also the outputs of inference, which tell whether it reads
    the updated weights.
    """
    if workload.inference_only:
        return _inference(build(workload), batches[0])
    seen: Tensors = {}
    for i, optimizer in enumerate(optimizers or optimizers_to_check(workload)):
        program = trainable(build(with_optimizer(workload, optimizer)))
        try:
            if i == 0:
                seen |= _single_pass(program, batches[0])
            seen |= trajectory(program, optimizer.kind, batches, steps, infers=i == 0)
        finally:
            program.close()
    return seen


def _inference(program: Program, batch: Batch) -> Tensors:
    try:
        return _inferred(program, program.put(batch))
    finally:
        program.close()


def _inferred(program: Program, placed: DeviceBatch) -> Tensors:
    return keyed(program.get(program.infer(placed)), Phase.INFER)


def _single_pass(program: Trainable, batch: Batch) -> Tensors:
    placed = program.put(batch)
    seen = _inferred(program, placed)
    seen |= keyed(program.get(program.forward(placed)), Phase.FORWARD)
    seen |= keyed(program.get(program.loss(placed)), Phase.LOSS)
    seen |= keyed(program.get(program.gradients(placed)), Phase.GRADIENTS)
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
