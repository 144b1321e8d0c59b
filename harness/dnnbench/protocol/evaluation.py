"""The walk through a network's graph that every backend makes, over tensors
of its framework's own type T.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeVar

from ..spec.model import Model, Node, Reading

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
    for reading in model.readings:
        value, changed = _computed(reading, values, parameters, new_state, apply)
        values[reading.node.name] = value
        for role, name in reading.state:
            new_state[name] = changed.get(role, new_state[name])
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
    for reading in model.readings:
        values[reading.node.name], _ = _computed(reading, values, parameters, state, apply)
        for name in reading.spent:
            del values[name]
    return {name: values[name] for name in model.outputs}


def _sources(model: Model, inputs: Mapping[str, T], parameters: Mapping[str, T]) -> dict[str, T]:
    """What nodes read before any of them is computed."""
    return dict(inputs) | {constant.name: parameters[constant.name] for constant in model.constants}


def _computed(
    reading: Reading,
    values: Mapping[str, T],
    parameters: Mapping[str, T],
    state: Mapping[str, T],
    apply: Apply[T],
) -> tuple[T, dict[str, T]]:
    """(one node's value, the running statistics that it changes, by role)"""
    arguments = [values[name] for name in reading.inputs]
    own = {role: parameters[name] for role, name in reading.parameters}
    held = {role: state[name] for role, name in reading.state} if reading.state else {}
    return apply(reading.node, arguments, own, held)


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
        if state:
            parameters = parameters | state
        return compute(node.op, *arguments, **parameters), {}

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
