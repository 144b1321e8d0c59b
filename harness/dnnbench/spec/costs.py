"""What a network costs on paper: operations, bytes moved, memory held.

FLOPs count 2 for a multiply-add. Backward counts the gradients of inputs and of weights,
and leaves out the gradient of the model's own inputs. Bytes count each tensor once for every op
that reads or writes it, as if nothing stayed in a cache and nothing were fused: an upper bound.
"""

from typing import NamedTuple

from .model import Model, Node
from .optimizers import Optimizer
from .phases import Phase
from .workload import Workload


class NodeCost(NamedTuple):
    """One node at one batch size."""

    name: str
    parameters: int
    macs: int
    forward_flops: int
    backward_flops: int
    forward_bytes: int
    backward_bytes: int
    output_bytes: int


class Totals(NamedTuple):
    """A whole purpose (inference, or one training step) at one batch size."""

    flops: int
    bytes: int
    memory_bytes: int


class MemoryParts(NamedTuple):
    """Bytes that one call of a phase needs, by what they are."""

    weights: int
    optimizer: int
    gradients: int
    activations: int
    batch: int


def node_costs(model: Model, batch_size: int, itemsize: int = 4) -> list[NodeCost]:
    """One row a node, in order."""
    return [_node_cost(model, node, batch_size, itemsize) for node in model.nodes]


def _node_cost(model: Model, node: Node, batch: int, itemsize: int) -> NodeCost:
    types = model.input_types(node)
    owned = sum(p.size for p in node.op.parameters(types).values())
    macs, other = batch * node.op.macs(types), batch * node.op.elementwise_flops(types)
    inputs = sum(t.size * (batch if t.batched else 1) for t in types)
    output = batch * model.types[node.name].size
    carries = bool(model.learned & set(node.inputs))
    backward_products = (int(bool(owned)) + int(carries)) * 2 * macs
    backward = backward_products + (other if carries or owned else 0)
    moved = (inputs + owned + output) * itemsize
    back_moved = (output + inputs * (1 + carries) + 2 * owned) * itemsize if carries or owned else 0
    return NodeCost(
        node.name, owned, macs, 2 * macs + other, backward, moved, back_moved, output * itemsize
    )


def parameter_count(model: Model) -> int:
    """Elements of every learned array, shared ones once."""
    return sum(p.size for p in model.parameters.values())


def inference(model: Model, batch_size: int, itemsize: int = 4) -> Totals:
    """Forward pass alone.

    Memory is weights, the batch and the largest pair of neighbouring activations.
    """
    rows = node_costs(model, batch_size, itemsize)
    held = parameter_count(model) * itemsize + _batch_bytes(model, batch_size, itemsize)
    widest = _widest_pair(model, batch_size, itemsize)
    return Totals(
        sum(r.forward_flops for r in rows), sum(r.forward_bytes for r in rows), held + widest
    )


def training_step(workload: Workload, batch_size: int, itemsize: int = 4) -> Totals:
    """Forward, backward and update.

    Memory is weights, gradients, optimizer slots, the batch and every activation.
    """
    rows, count = node_costs(workload.model, batch_size, itemsize), parameter_count(workload.model)
    optimizer: Optimizer = workload.task.optimizer
    slots = len(optimizer.slots)
    flops = (
        sum(r.forward_flops + r.backward_flops for r in rows)
        + count * optimizer.flops_per_parameter
    )
    moved = sum(r.forward_bytes + r.backward_bytes for r in rows) + count * itemsize * (
        3 + 2 * slots
    )
    held = sum(memory_parts(workload, batch_size, Phase.TRAIN_STEP, itemsize, itemsize))
    return Totals(flops, moved, held)


def memory_parts(
    workload: Workload, batch_size: int, phase: Phase, itemsize: int = 4, kept: int = 4
) -> MemoryParts:
    """What a phase of `dnnbench.spec.phases.PHASES` holds at its end,
    nothing fused and nothing freed.

    itemsize: bytes of an activation
    kept: bytes of a weight, a gradient and an optimizer slot. Inference holds the largest pair
    of neighbouring activations; training every activation.
    Running statistics are left out.
    """
    model, weights = workload.model, parameter_count(workload.model) * kept
    fed = _batch_bytes(model, batch_size, itemsize)
    if phase == Phase.INFER:
        return MemoryParts(weights, 0, 0, _widest_pair(model, batch_size, itemsize), fed)
    every = sum(row.output_bytes for row in node_costs(model, batch_size, itemsize))
    slots = len(workload.task.optimizer.slots) if phase == Phase.TRAIN_STEP else 0
    gradients = weights if phase in (Phase.GRADIENTS, Phase.TRAIN_STEP) else 0
    return MemoryParts(weights, slots * weights, gradients, every, fed)


def _batch_bytes(model: Model, batch_size: int, itemsize: int) -> int:
    """Of the inputs of all examples; targets are left out."""
    return batch_size * itemsize * sum(source.type.size for source in model.inputs)


def _widest_pair(model: Model, batch_size: int, itemsize: int) -> int:
    """The most that a node writes and reads, the network's inputs left out: they are the batch."""
    written = {row.name: row.output_bytes for row in node_costs(model, batch_size, itemsize)}
    return max(
        written[node.name] + sum(written.get(name, 0) for name in {*node.inputs})
        for node in model.nodes
    )


def phase_totals(
    workload: Workload, batch_size: int, phase: Phase, itemsize: int = 4
) -> tuple[int, int] | None:
    """(FLOPs, bytes) of one call of a phase of `dnnbench.spec.phases.PHASES`.

    None for a piece of one.
    """
    rows = node_costs(workload.model, batch_size, itemsize)
    forward = (sum(r.forward_flops for r in rows), sum(r.forward_bytes for r in rows))
    backward = (sum(r.backward_flops for r in rows), sum(r.backward_bytes for r in rows))
    step = training_step(workload, batch_size, itemsize)
    return {
        Phase.INFER: forward,
        Phase.FORWARD: forward,
        Phase.LOSS: forward,
        Phase.GRADIENTS: (forward[0] + backward[0], forward[1] + backward[1]),
        Phase.TRAIN_STEP: (step.flops, step.bytes),
    }.get(phase)
