"""The walk through a network's graph that every backend makes, over code in place of tensors."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from ..protocol.evaluation import Apply, evaluate, inference, training
from ..spec.model import Model, Node
from ..spec.tensor import TensorType
from .names import PASSING, resolved, value_names
from .values import Value, parameter
from .wrapping import line


@dataclass(frozen=True)
class Dialect:
    """How a framework's code differs: its ops, and the order of axes that it keeps.

    ops: `<kind>(op, *inputs, **parameters)` as the backend's own ops, over Values: gives code.
    An op with running statistics has `<kind>_training`, whose code besides keeps the new ones in
    the dictionary `state`; it gives (code, {}).
    shape: a tensor's axes as the framework has them, the batch's left out.
    """

    ops: ModuleType
    shape: Callable[[TensorType], tuple[int, ...]] = lambda type: type.shape


@dataclass(frozen=True)
class Body:
    """Lines that compute a network, and what its tensors are called there."""

    lines: list[str]
    values: dict[str, Value]
    arguments: list[str] = field(default_factory=list)
    """Names of the inputs."""

    def of(self, model: Model) -> list[Value]:
        """The network's outputs."""
        return [self.values[name] for name in model.outputs]


def written(
    model: Model,
    dialect: Dialect,
    *,
    trains: bool,
    frees: bool,
    chains: bool = True,
    generator: Callable[[Node], Any] = lambda node: None,
    taken: Collection[str] = (),
) -> Body:
    """The network line by line, a line a node.

    trains: in training mode
    frees: values are let go after their last use, as a Program that infers op by op does
    chains: a value that only the next line reads is `x`
    generator: code that random ops draw from
    taken: names of the script's own
    """
    same = resolved(model, random_ops=trains)
    nodes = [node for node in model.nodes if same[node.name] == node.name]
    names = value_names(model, nodes, same, taken, chains)
    body = Body([], {}, [names[source.name] for source in model.inputs])
    spent = _spent(model, nodes, same, names) if frees else {}
    compute = training(dialect.ops, {}, generator) if trains else inference(dialect.ops)

    def apply(
        node: Node, arguments: list[Any], parameters: dict[str, Any], state: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        value, _ = compute(node, arguments, parameters, state)
        if isinstance(value, Value):  # a random op that passes its input on
            return value, {}
        result = Value(names[node.name], model.types[node.name])
        body.lines.append(line(f"{result} = {value}", _shown(node, result, dialect)))
        if gone := spent.get(node.name):
            body.lines.append(line(f"del {', '.join(gone)}"))
        return result, {}

    body.values.update(_walk(model, names, apply))
    return body


def _walk(model: Model, names: dict[str, str], apply: Apply[Any]) -> dict[str, Value]:
    inputs = {source.name: Value(names[source.name], source.type) for source in model.inputs}
    learned = {name: parameter(model, name) for name in model.parameters}
    state = {name: parameter(model, name) for name in model.state}
    values, _ = evaluate(model, inputs, learned, state, apply)
    return values


def _shown(node: Node, value: Value, dialect: Dialect) -> str:
    """`conv1: (N, 16, 8, 8)`, without the name where the value bears it."""
    axes = ", ".join(map(str, ("N", *dialect.shape(value.type))))
    shape = f"({axes})" if axes != "N" else "(N,)"
    return shape if value.text == node.name else f"{node.name}: {shape}"


def _spent(
    model: Model, nodes: Sequence[Node], same: dict[str, str], names: dict[str, str]
) -> dict[str, list[str]]:
    """By node, the names that no line reads after its own; inputs are the caller's."""
    last: dict[str, str] = {}
    for node in nodes:
        last |= {same[name]: node.name for name in node.inputs}
    kept = {same[name] for name in model.outputs} | {source.name for source in model.sources}
    spent: dict[str, list[str]] = {}
    for name, reader in last.items():
        if name not in kept and names[name] != PASSING:
            spent.setdefault(reader, []).append(names[name])
    return spent
