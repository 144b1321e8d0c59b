"""The network with numbers far from 1 where they cost little: logits and attention scores lie a
thousand off, by biases that exact arithmetic hardly feels, and exp without the maximum overflows.

And with logits that are all 0: what is predicted of a tie.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..protocol.dtypes import DType
from ..protocol.program import Program, trainable
from ..spec.losses import BceWithLogits, CrossEntropy
from ..spec.model import Model, Node
from ..spec.ops.attention import Attention
from ..spec.phases import Phase
from ..spec.workload import Workload
from .keys import Group, Tensors, keyed

LOGITS = 1000.0
"""exp of it is infinite in float64, too."""
KEYS = 4000.0
"""A key's every feature: a score lies off by the sum of the query's features times this."""
VALUES = frozenset({Group.OUTPUTS, Group.LOSS})
DTYPES = (DType.FLOAT64, DType.FLOAT32)
"""Coarser types keep nothing beside numbers so large."""


def lifted_biases(workload: Workload) -> dict[str, np.ndarray]:
    """What is added to which parameters, by name.

    Cross-entropy's logits have one more constant for all classes, which changes no share of a
    class; binary ones have +-LOGITS in turn. Keys have one more vector for all of them, which
    changes no share of a key.
    """
    model = workload.model
    lifts = {}
    for node in model.nodes:
        if isinstance(node.op, Attention) and (name := _bias(model, node.inputs[1])):
            lifts[name] = np.full(model.parameters[name].shape, KEYS, np.float32)
    if name := logits_bias(workload):
        shape = model.parameters[name].shape
        lift = np.full(shape, LOGITS, np.float32)
        if isinstance(workload.task.loss, BceWithLogits):
            lift.reshape(-1)[1::2] *= -1
        lifts[name] = lift
    return lifts


def logits_bias(workload: Workload) -> str | None:
    """The bias of a loss's logits; None where there is none, or no loss of logits."""
    if workload.inference_only or not isinstance(workload.task.loss, CrossEntropy | BceWithLogits):
        return None
    return _bias(workload.model, workload.model.outputs[0])


def not_lifted(workload: Workload) -> list[str]:
    """Logits and attention that stay where they are, in words."""
    model, loss = workload.model, workload.task.loss
    of_logits = isinstance(loss, CrossEntropy | BceWithLogits) and not workload.inference_only
    nodes = [node for node in model.nodes if isinstance(node.op, Attention)]
    fixed = [f"scores of '{node.name}'" for node in nodes if not _bias(model, node.inputs[1])]
    if of_logits and logits_bias(workload) is None:
        fixed.append(f"logits '{model.outputs[0]}'")
    return fixed


def _bias(model: Model, name: str) -> str | None:
    """The parameter that a node adds to its product, if no other node has it."""
    node: Node | None = next((node for node in model.nodes if node.name == name), None)
    if node is None:
        return None
    bias = model.roles(node)[0].get("bias")
    users = [other for other in model.nodes if bias in model.roles(other)[0].values()]
    product = node.op.arithmetic == "product"
    return bias if bias is not None and product and len(users) == 1 else None


def phases_far(workload: Workload, phases: Collection[Phase]) -> list[Phase]:
    """Which phases are called with lifted biases: the last one before a step, and inference.

    None where nothing is lifted; nor where inference alone is asked of a network with running
    statistics, which a program that only infers does not give back to be loaded again.
    """
    passes = [phase for phase in (Phase.GRADIENTS, Phase.LOSS, Phase.FORWARD) if phase in phases]
    if not lifted_biases(workload) or (workload.model.state and not passes):
        return []
    return [*passes[:1], *([Phase.INFER] if Phase.INFER in phases else [])]


def observe_far(
    program: Program, workload: Workload, placed: Any, phases: Collection[Phase]
) -> Tensors:
    """What the network with lifted biases computes of a batch; the program goes back to where it
    was.
    """
    called, lifts = phases_far(workload, phases), lifted_biases(workload)
    if not called:
        return {}
    groups = _groups(workload)
    if called == [Phase.INFER]:
        start = program.weights()
        seen = _seen_from(program, start, lifts, placed, called, groups)
        seen |= _of_ties(program, start, workload, placed, called)
        program.load(start)
        return seen
    trained = trainable(program)
    snapshot, start = trained.snapshot(), trained.weights() | trained.model_state()
    seen = _seen_from(trained, start, lifts, placed, called, groups)
    seen |= _of_ties(trained, start, workload, placed, called)
    trained.restore(snapshot)
    return seen


def _seen_from(
    program: Program,
    start: Mapping[str, np.ndarray],
    lifts: Mapping[str, np.ndarray],
    placed: Any,
    phases: Sequence[Phase],
    groups: Collection[Group],
) -> Tensors:
    program.load(_lifted(start, lifts))
    seen: Tensors = {}
    for phase in phases:
        of_phase = keyed(program.get(getattr(program, phase)(placed)), phase)
        seen |= {key.far_from_1(): a for key, a in of_phase.items() if key.group in groups}
    return seen


def _of_ties(
    program: Program,
    start: Mapping[str, np.ndarray],
    workload: Workload,
    placed: Any,
    phases: Collection[Phase],
) -> Tensors:
    """The prediction of logits that are all 0 to the bit: their node multiplies by 0 and adds 0."""
    model = workload.model
    if logits_bias(workload) is None or Phase.INFER not in phases:
        return {}
    of_logits = model.roles(model.node(model.outputs[0]))[0].values()
    program.load({**start, **{name: np.zeros_like(start[name]) for name in of_logits}})
    inferred = keyed(program.get(program.infer(placed)), Phase.INFER)
    return {key.far_from_1(): a for key, a in inferred.items() if key.group is Group.PREDICTION}


def _lifted(
    start: Mapping[str, np.ndarray], lifts: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    return {**start, **{name: start[name] + lift for name, lift in lifts.items()}}


def _groups(workload: Workload) -> frozenset[Group]:
    """Gradients too, unless keys are lifted: what comes back to a query is a sum of score gradients
    times keys, in which the lift cancels but for rounding.
    """
    attends = any(isinstance(node.op, Attention) for node in workload.model.nodes)
    return VALUES if attends else VALUES | {Group.GRADIENTS}
