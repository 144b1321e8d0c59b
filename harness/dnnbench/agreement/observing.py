"""What a program computes, as named float64 arrays: the same procedure for the reference and for every contender."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import DeviceBatch, Program
from ..spec.optimizers import Adam, Optimizer, Sgd
from ..spec.workload import Workload
from .allowances import ADAPTIVE

Build = Callable[[Workload], Program]
Tensors = dict[str, np.ndarray]


def optimizers_to_check(workload: Workload) -> list[Optimizer]:
    """The workload's own, and one of the other family.

    Adaptive optimizers divide by the gradient's size: they hide a wrong loss scale, which SGD shows, and show what is wrong
    with a gradient too small to move an SGD step.
    """
    own = workload.task.optimizer
    return [own, Sgd(learning_rate=0.01) if own.kind in ADAPTIVE else Adam()]


def with_optimizer(workload: Workload, optimizer: Optimizer) -> Workload:
    """The workload trained by another optimizer."""
    return workload.model_copy(update={"task": workload.task.model_copy(update={"optimizer": optimizer})})


def observe(
    build: Build,
    workload: Workload,
    batches: Sequence[Batch],
    steps: Sequence[int],
    optimizers: Sequence[Optimizer] = (),
) -> Tensors:
    """Outputs, loss, gradients and state on the first batch, and what k steps on the batches make of the weights.

    Of a network that nobody trains only what it infers.
    optimizers: those that train, one after the other; none for all that are to be checked.

    Keys: `infer/<node>`, `outputs/<node>`, `loss`, `gradients/<p>`, `state/<s>`, and for each optimizer and k
    `<optimizer>@<k>/weights/<p>` (the change p_k - p_0), `.../slots/<slot>/<p>`, `.../state/<s>`; of the first optimizer
    also `.../infer/<node>`, which asks whether inference reads the updated weights, whoever updated them.
    """
    if workload.inference_only:
        return _inference(build(workload), batches[0])
    seen: Tensors = {}
    for i, optimizer in enumerate(optimizers or optimizers_to_check(workload)):
        program = build(with_optimizer(workload, optimizer))
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
    found = program.get(program.infer(placed))
    return {key.replace("outputs/", "infer/"): array for key, array in found.items()}


def _single_pass(program: Program, batch: Batch) -> Tensors:
    placed = program.put(batch)
    seen = _inferred(program, placed)
    seen |= {"forward/" + key: array for key, array in program.get(program.forward(placed)).items()}
    seen |= {"loss/" + key: array for key, array in program.get(program.loss(placed)).items()}
    return seen | program.get(program.gradients(placed))


def trajectory(program: Program, name: str, batches: Sequence[Batch], steps: Sequence[int], infers: bool) -> Tensors:
    """What is left after each of `steps` training steps, on the batches one after the other; what it infers, if asked."""
    start = {key: array.astype(np.float64) for key, array in program.weights().items()}
    seen: Tensors = {}
    for k in range(1, max(steps) + 1):
        program.wait(program.train_step(program.put(batches[(k - 1) % len(batches)])))
        if k in steps:
            left = _standing(program, start) | (_outputs(program, batches[0]) if infers else {})
            seen |= {f"{name}@{k}/{key}": array for key, array in left.items()}
    return seen


def _standing(program: Program, start: Mapping[str, np.ndarray]) -> Tensors:
    return {
        **{f"weights/{p}": array.astype(np.float64) - start[p] for p, array in program.weights().items()},
        **{f"slots/{slot}": array for slot, array in program.optimizer_state().items()},
        **{f"state/{s}": array for s, array in program.model_state().items()},
    }


def _outputs(program: Program, batch: Batch) -> Tensors:
    inferred = _inferred(program, program.put(batch))
    return {key: array for key, array in inferred.items() if key.startswith("infer/")}


def optimizer_by_kind(workload: Workload, kind: str) -> Optimizer:
    """The optimizer whose trajectory a key names."""
    return next(o for o in optimizers_to_check(workload) if o.kind == kind)
