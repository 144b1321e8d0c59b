"""The walk through a network's graph that every backend makes, over tensors
of its framework's own type T.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeVar

from ..spec.model import Model, Node

T = TypeVar("T")
Apply = Callable[[Node, list[T], dict[str, T], dict[str, T]], tuple[T, dict[str, T]]]
"""(node, arguments, parameters by role, state by role) -> (value, new state by role)

Roles are those of `node.op.parameters` and `node.op.state`: `weight`, `bias`, `scale`, `mean`, ...
"""


def evaluate(
    model: Model,
    inputs: Mapping[str, T],
    parameters: Mapping[str, T],
    state: Mapping[str, T],
    apply: Apply[T],
) -> tuple[dict[str, T], dict[str, T]]:
    """(value of every input, constant and node by name; running statistics after the pass),
    nodes in order.

    inputs, parameters and state are read and not changed.
    """
    values = _sources(model, inputs, parameters)
    new_state = dict(state)
    for node in model.nodes:
        values[node.name], changed = _computed(model, node, values, parameters, new_state, apply)
        new_state |= changed
    return values, new_state


def outputs(
    model: Model,
    inputs: Mapping[str, T],
    parameters: Mapping[str, T],
    state: Mapping[str, T],
    apply: Apply[T],
) -> dict[str, T]:
    """Value of every output by name.

    Any other value is let go after its last use, as inference written by hand does.
    """
    values = _sources(model, inputs, parameters)
    for node in model.nodes:
        values[node.name], _ = _computed(model, node, values, parameters, state, apply)
        for name in model.spent[node.name]:
            del values[name]
    return {name: values[name] for name in model.outputs}


def _sources(model: Model, inputs: Mapping[str, T], parameters: Mapping[str, T]) -> dict[str, T]:
    """What nodes read before any of them is computed."""
    constants = {constant.name: parameters[constant.name] for constant in model.constants}
    return dict(inputs) | constants


def _computed(
    model: Model,
    node: Node,
    values: Mapping[str, T],
    parameters: Mapping[str, T],
    state: Mapping[str, T],
    apply: Apply[T],
) -> tuple[T, dict[str, T]]:
    """(one node's value, the running statistics that it changes, by name)"""
    parameter_names, state_names = model.roles(node)
    arguments = [values[name] for name in node.inputs]
    # most ops have neither: the empty dictionaries are handed on as they are,
    # which saves a step of many nodes
    own = (
        {role: parameters[name] for role, name in parameter_names.items()}
        if parameter_names
        else {}
    )
    held = {role: state[name] for role, name in state_names.items()} if state_names else {}
    value, changed = apply(node, arguments, own, held)
    return value, {state_names[role]: array for role, array in changed.items()}


def inference(ops: ModuleType) -> Apply[Any]:
    """Every op as `ops.<kind>(op, *inputs, **parameters, **state)`, which gives its value.

    `op` is the spec's (`dnnbench.spec.ops`), with its attributes.
    Random ops pass their input on and need no function.
    """

    def apply(
        node: Node, arguments: list[Any], parameters: dict[str, Any], state: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        if node.op.random:
            return arguments[0], {}
        compute = getattr(ops, node.op.kind)
        return compute(node.op, *arguments, **parameters, **state), {}

    return apply


def training(
    ops: ModuleType, masks: Mapping[str, Any], generator: Callable[[Node], Any]
) -> Apply[Any]:
    """As `inference`, in training mode.

    An op with running statistics is `ops.<kind>_training(op, *inputs, **parameters, **state)`,
    which gives (value, {role: new statistic}) by the roles that it got:
    `{"mean": ..., "variance": ...}` for batch_norm.
    A random op is `ops.<kind>(op, x, mask, generator)`, with `masks[node.name]`,
    or None where the batch brings no mask and the framework draws one from `generator(node)`.
    """

    def apply(
        node: Node, arguments: list[Any], parameters: dict[str, Any], state: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        if node.op.random:
            compute = getattr(ops, node.op.kind)
            return compute(node.op, *arguments, masks.get(node.name), generator(node)), {}
        if state:
            compute = getattr(ops, f"{node.op.kind}_training")
            value, changed = compute(node.op, *arguments, **parameters, **state)
            return value, changed
        compute = getattr(ops, node.op.kind)
        return compute(node.op, *arguments, **parameters), {}

    return apply
