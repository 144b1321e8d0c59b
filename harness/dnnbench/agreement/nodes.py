"""What a program computes node by node, in the same procedure for the reference and for a contender under suspicion."""

from collections.abc import Sequence

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.model import Model
from ..spec.workload import Workload
from .comparing import Finding, compare
from .observing import Build, Tensors, trajectory
from .reference import Reference


def watched(workload: Workload) -> Workload:
    """The workload with every node's value among its outputs, the one that the loss reads still the first."""
    model = workload.model
    first, names = model.outputs[0], [node.name for node in model.nodes]
    outputs = (first, *(name for name in names if name != first))
    fields = {"inputs": model.inputs, "constants": model.constants, "nodes": model.nodes, "outputs": outputs}
    return Workload(
        name=workload.name, model=Model(name=model.name, **fields), task=workload.task, batch_size=workload.batch_size
    )


def observe_nodes(build: Build, workload: Workload, batches: Sequence[Batch], steps: Sequence[int]) -> Tensors:
    """Every node's value and cotangent on the first batch; after training steps, if any, on the batch that follows them.

    Keys: `infer/<node>`, `outputs/<node>`, `activations/<node>`, `cotangents/<node>`, `loss`, `gradients/<p>`, `state/<s>`,
    `prediction`; what `trajectory` tells of k `steps`, and after the last of them all but `infer` and `prediction` again
    with `<optimizer>@<k>/` before them.
    """
    program = build(watched(workload))
    try:
        inferred = program.get(program.infer(program.put(batches[0])))
        seen = {key.replace("outputs/", "infer/"): array for key, array in inferred.items()}
        seen |= _training_pass(program, batches[0])
        if steps:
            kind = workload.task.optimizer.kind
            seen |= trajectory(program, kind, batches, steps, infers=True)
            then = _training_pass(program, batches[max(steps) % len(batches)])
            seen |= {f"{kind}@{max(steps)}/then/{key}": array for key, array in then.items()}
    finally:
        program.close()
    return seen


def _training_pass(program: Program, batch: Batch) -> Tensors:
    placed = program.put(batch)
    return {
        **{f"activations/{name}": array for name, array in program.activations(placed).items()},
        **program.get(program.gradients(placed)),
        **{f"cotangents/{name}": array for name, array in program.cotangents(placed).items()},
    }


def judge_nodes(reference: Reference, observed: Tensors, workload: Workload, dtype: str) -> list[Finding]:
    """Every tensor of `observe_nodes` against the reference's; what repeats an older answer to the bit is said to."""
    findings = []
    for finding in compare(reference, observed, watched(workload), dtype):
        if not finding.ok and _repeats(finding.key, observed):
            finding = finding._replace(reason=f"{finding.reason}; {REPEATED}")
        findings.append(finding)
    return findings


REPEATED = "the same to the bit as before the steps"


def _repeats(key: str, observed: Tensors) -> bool:
    """Whether something wrong after the steps is just what it was before them."""
    first, _, rest = key.partition("/")
    earlier = observed.get(rest.removeprefix("then/")) if "@" in first else None
    return earlier is not None and key in observed and np.array_equal(observed[key], earlier)
