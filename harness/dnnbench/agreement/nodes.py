"""What a program computes node by node, in one procedure for the reference and for a contender."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Trainable, trainable
from ..spec.model import Model
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .comparing import compare
from .comparison import TensorComparison
from .keys import Group, TensorKey, Tensors, keyed
from .observing import Build, put_all, trajectory
from .reference import Reference


def watched(workload: Workload) -> Workload:
    """The workload with every node's value among its outputs, the loss's still the first."""
    model = workload.model
    first, names = model.outputs[0], [node.name for node in model.nodes]
    # The loss reads the first output, whatever else is watched.
    outputs = (first, *(name for name in names if name != first))
    watched_model = Model(
        name=model.name,
        inputs=model.inputs,
        constants=model.constants,
        nodes=model.nodes,
        outputs=outputs,
    )
    return Workload(
        name=workload.name,
        model=watched_model,
        task=workload.task,
        batch_size=workload.batch_size,
    )


def observe_nodes(
    build: Build,
    workload: Workload,
    batches: Sequence[Batch],
    steps: Sequence[int],
    phases: Collection[Phase] = PHASES,
) -> Tensors:
    """Every node's value and cotangent on the first batch, and after steps on the next one.

    Keys: the phases `infer` and `gradients`; what `trajectory` observes of k `steps`, if any; after
    the last of them the phase `gradients` once more.
    phases: those that are called; no other is.
    """
    program = build(watched(workload))
    try:
        seen = keyed(program.get(program.infer(program.put(batches[0]))), Phase.INFER)
        if Phase.GRADIENTS in phases:
            seen |= training_pass(trainable(program), batches[0])
        if steps and Phase.TRAIN_STEP in phases:
            seen |= _training_steps(trainable(program), workload, batches, steps)
    finally:
        program.close()
    return seen


def _training_steps(
    program: Trainable, workload: Workload, batches: Sequence[Batch], steps: Sequence[int]
) -> Tensors:
    """What steps leave, and every node's value and cotangent on the batch that follows them."""
    kind = workload.task.optimizer.kind
    placed = put_all(program, batches)
    seen = trajectory(program, kind, placed, steps, infers=True)
    then = training_pass(program, batches[max(steps) % len(batches)])
    return seen | {key.after(kind, max(steps)): array for key, array in then.items()}


def training_pass(program: Trainable, batch: Batch) -> Tensors:
    """Every node's value and cotangent, and what the phase `gradients` returns."""
    placed = program.put(batch)
    activations = program.activations(placed).items()
    seen = {TensorKey(Group.ACTIVATIONS, name): array for name, array in activations}
    seen |= keyed(program.get(program.gradients(placed)), Phase.GRADIENTS)
    cotangents = program.cotangents(placed).items()
    return seen | {TensorKey(Group.COTANGENTS, name): array for name, array in cotangents}


def compare_nodes(
    reference: Reference,
    observed: Tensors,
    workload: Workload,
    dtype: str,
    phases: Collection[Phase] = PHASES,
) -> list[TensorComparison]:
    """Every tensor of `observe_nodes` against the reference's, and whether it repeats
    an older one.
    """
    comparisons = []
    for comparison in compare(reference, observed, watched(workload), dtype, phases):
        if not comparison.ok and _repeats(comparison.key, observed):
            comparison = replace(comparison, reason=f"{comparison.reason}; {REPEATED}")
        comparisons.append(comparison)
    return comparisons


REPEATED = "the same to the bit as before the steps"


def _repeats(key: TensorKey, observed: Tensors) -> bool:
    """Whether something wrong after the steps is just what it was before them."""
    earlier = observed.get(key.before_training) if key.optimizer and key.before_training else None
    return earlier is not None and key in observed and np.array_equal(observed[key], earlier)
