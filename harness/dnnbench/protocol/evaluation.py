"""The walk through a network's graph that every backend makes."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from ..spec.model import Model, Node

Apply = Callable[[Node, list, dict[str, Any], dict[str, Any]], tuple[Any, dict[str, Any]]]
"""(node, arguments, parameters by role, state by role) -> (value, new state by role)"""


def evaluate(
    model: Model, inputs: Mapping[str, Any], parameters: Mapping[str, Any], state: Mapping[str, Any], apply: Apply
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(value of every input, constant and node; state after the pass), nodes in order."""
    values = dict(inputs) | {c.name: parameters[c.name] for c in model.constants}
    new_state = dict(state)
    for node in model.nodes:
        values[node.name] = _value(model, node, values, parameters, new_state, apply)
    return values, new_state


def outputs(
    model: Model, inputs: Mapping[str, Any], parameters: Mapping[str, Any], state: Mapping[str, Any], apply: Apply
) -> dict[str, Any]:
    """Value of every output; any other value is let go after its last use, as inference written by hand does."""
    values = dict(inputs) | {c.name: parameters[c.name] for c in model.constants}
    for node in model.nodes:
        values[node.name] = _value(model, node, values, parameters, state, apply)
        for name in model.spent[node.name]:
            del values[name]
    return {name: values[name] for name in model.outputs}


def _value(model, node, values, parameters, state, apply):
    """One node's value; what it changes goes into `state`."""
    learned, kept = model.roles(node)
    arguments = [values[name] for name in node.inputs]
    own = {role: parameters[name] for role, name in learned.items()} if learned else learned
    held = {role: state[name] for role, name in kept.items()} if kept else kept
    value, changed = apply(node, arguments, own, held)
    for role, array in changed.items():
        state[kept[role]] = array
    return value


def inference(ops: ModuleType) -> Apply:
    """Every op as its backend's `ops.<kind>(op, *inputs, **parameters, **state)`; random ops pass their input on."""

    def apply(node, arguments, parameters, state):
        if node.op.random:
            return arguments[0], {}
        return getattr(ops, node.op.kind)(node.op, *arguments, **parameters, **state), {}

    return apply


def training(ops: ModuleType, masks: Mapping[str, Any], generator: Callable[[Node], Any]) -> Apply:
    """As `inference`, but an op with state is `ops.<kind>_training(...) -> (value, new state)`, and a random op
    `ops.<kind>(op, x, mask, generator)`, with the mask that the batch brought or None."""

    def apply(node, arguments, parameters, state):
        if node.op.random:
            return getattr(ops, node.op.kind)(node.op, *arguments, masks.get(node.name), generator(node)), {}
        if state:
            return getattr(ops, f"{node.op.kind}_training")(node.op, *arguments, **parameters, **state)
        return getattr(ops, node.op.kind)(node.op, *arguments, **parameters), {}

    return apply
