"""Whether a graph can be computed at all: every problem is found in one pass, each with its key path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from .tensor import Parameter, TensorType

if TYPE_CHECKING:
    from .model import Model, Node

Problem = tuple[tuple[str | int, ...], str]
RESERVED = frozenset({"activations", "cotangents", "infer", "outputs", "prediction"})
"""Groups of tensors with a row for each example: a check tells them by these words."""
MOST_ELEMENTS = 2**40
TOO_MANY = "more than 2^40 elements (4 TB in float32), which no machine holds; make it smaller"


def problems_of(model: Model) -> list[Problem]:
    """Reserved and duplicate names, unknown or cyclic inputs, shape clashes, parameters that cannot be shared."""
    return [
        *_reserved(model),
        *_duplicates(model),
        *_wiring(model),
        *_outputs(model),
        *_sources(model),
        *_shapes(model),
    ]


def near_miss(word: str, known) -> str:
    """', did you mean ...?' or nothing."""
    match = get_close_matches(word, list(known), n=1)
    return f"; did you mean '{match[0]}'?" if match else ""


def _names(model: Model) -> list[tuple[tuple[str, int], str]]:
    groups = (("inputs", model.inputs), ("constants", model.constants), ("nodes", model.nodes))
    return [((key, i), item.name) for key, items in groups for i, item in enumerate(items)]


def _reserved(model: Model) -> Iterator[Problem]:
    shared = [
        (("nodes", i, "parameters", role), name)
        for i, node in enumerate(model.nodes)
        for role, name in node.parameters.items()
    ]
    for where, name in [*(((*place, "name"), name) for place, name in _names(model)), *shared]:
        if name in RESERVED:
            text = f"the name '{name}' is reserved for a group of tensors that a check compares"
            yield where, f"{text}; choose another, such as '{name}1'"


def _duplicates(model: Model) -> Iterator[Problem]:
    counts = Counter(name for _, name in _names(model))
    seen = set()
    for where, name in _names(model):
        if counts[name] > 1 and name in seen:
            yield (*where, "name"), f"the name '{name}' is taken by an earlier entry; give each its own"
        seen.add(name)


def _wiring(model: Model) -> Iterator[Problem]:
    known = {name for (key, _), name in _names(model) if key != "nodes"}
    later = {node.name for node in model.nodes}
    for i, node in enumerate(model.nodes):
        for j, source in enumerate(node.inputs):
            where = ("nodes", i, "inputs", j)
            if source not in known and source not in later:
                hint = near_miss(source, known | later)
                yield where, f"node '{node.name}' reads '{source}', which does not exist{hint}"
            elif source not in known:
                yield where, _too_early(model, node, source)
        known.add(node.name)


def _too_early(model: Model, node: Node, source: str) -> str:
    by_name = {n.name: n for n in model.nodes}
    path = _path(by_name, source, node.name)
    if path:
        circle = " -> ".join([*path[::-1], path[-1]])
        return f"cycle: {circle}; a network must be acyclic, break one of these inputs"
    return f"node '{node.name}' reads '{source}', which comes later; move '{source}' before '{node.name}'"


def _path(by_name, start: str, goal: str) -> list[str]:
    """Names from start back along inputs to goal, or nothing."""
    stack, seen = [[start]], set()
    while stack:
        path = stack.pop()
        if path[-1] == goal:
            return path
        if path[-1] in by_name and path[-1] not in seen:
            seen.add(path[-1])
            stack += [[*path, source] for source in by_name[path[-1]].inputs]
    return []


def _outputs(model: Model) -> Iterator[Problem]:
    names = [node.name for node in model.nodes]
    for i, name in enumerate(model.outputs):
        if name not in names:
            yield ("outputs", i), f"no node is called '{name}'{near_miss(name, names)}"


def _sources(model: Model) -> Iterator[Problem]:
    for key, sources in (("inputs", model.inputs), ("constants", model.constants)):
        for i, source in enumerate(sources):
            if source.type.size > MOST_ELEMENTS:
                yield (key, i, "shape"), f"'{source.name}' has {TOO_MANY}"


def _shapes(model: Model) -> Iterator[Problem]:
    """Walk in order; a node behind a broken one stays untyped and silent, so that each fault is told once."""
    sources = (*model.inputs, *model.constants)
    types: dict[str, TensorType] = {item.name: item.type for item in sources if item.type.size <= MOST_ELEMENTS}
    owned: dict[str, Parameter] = {c.name: Parameter(c.shape, c.initializer) for c in model.constants}
    for i, node in enumerate(model.nodes):
        where, named_twice = ("nodes", i), node.name in types
        if problem := _arity_problem(node):
            yield (*where, "inputs"), problem
        elif all(name in types for name in node.inputs):
            arguments = [types[name] for name in node.inputs]
            try:
                types.setdefault(node.name, _output(node, arguments))
            except ValueError as error:
                yield where, f"node '{node.name}' ({node.op.kind}): {error}"
            else:
                yield from () if named_twice else _sharing(node, where, arguments, owned)


def _arity_problem(node: Node) -> str | None:
    fewest, most = node.op.arity
    if fewest <= len(node.inputs) <= (most or len(node.inputs)):
        return None
    wanted = f"{fewest}{'' if fewest == most else ' or more'} input{'' if most == 1 else 's'}"
    return f"node '{node.name}' ({node.op.kind}) takes {wanted}, got {len(node.inputs)}"


def _output(node: Node, arguments: list[TensorType]) -> TensorType:
    """The op's shape rule, and a limit that keeps absurd sizes out of every later count."""
    result = node.op.output(arguments)
    for what, array in {"output": result, **node.op.parameters(arguments)}.items():
        if array.size > MOST_ELEMENTS:
            raise ValueError(f"its {what} has {TOO_MANY}")
    return result


def _sharing(node: Node, where, arguments, owned: dict[str, Parameter]) -> Iterator[Problem]:
    wanted = {**node.op.parameters(arguments), **node.op.state(arguments)}
    for role in node.parameters:
        if role not in wanted:
            text = f"node '{node.name}' has no '{role}'{near_miss(role, wanted)}"
            yield (*where, "parameters", role), f"{text} (it has {', '.join(wanted) or 'no parameters'})"
    for role, name in node.names(wanted).items():
        mine, first = wanted[role], owned.setdefault(name, wanted[role])
        if first.shape != mine.shape:
            yield (
                (*where, "parameters", role),
                f"node '{node.name}' wants '{name}' of shape {mine.shape}, but its first user has "
                f"{first.shape}; share only between equal shapes",
            )
