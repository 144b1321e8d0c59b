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


def problems_of(model: Model) -> list[Problem]:
    """Duplicate names, unknown or cyclic inputs, shape clashes, parameters that cannot be shared."""
    return [*_duplicates(model), *_wiring(model), *_outputs(model), *_shapes(model)]


def near_miss(word: str, known) -> str:
    """', did you mean ...?' or nothing."""
    match = get_close_matches(word, list(known), n=1)
    return f"; did you mean '{match[0]}'?" if match else ""


def _names(model: Model) -> list[tuple[tuple[str, int], str]]:
    groups = (("inputs", model.inputs), ("constants", model.constants), ("nodes", model.nodes))
    return [((key, i), item.name) for key, items in groups for i, item in enumerate(items)]


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
                yield where, f"node '{node.name}' reads '{source}', which does not exist{near_miss(source, known | later)}"
            elif source not in known:
                yield where, _too_early(model, node, source)
        known.add(node.name)


def _too_early(model: Model, node: Node, source: str) -> str:
    by_name = {n.name: n for n in model.nodes}
    path = _path(by_name, source, node.name)
    if path:
        return f"cycle: {' -> '.join([*path[::-1], path[-1]])}; a network must be acyclic, break one of these inputs"
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


def _shapes(model: Model) -> Iterator[Problem]:
    """Walk in order; a node behind a broken one stays untyped and silent, so that each fault is told once."""
    types: dict[str, TensorType] = {item.name: item.type for item in (*model.inputs, *model.constants)}
    owned: dict[str, Parameter] = {c.name: Parameter(c.shape, c.initializer) for c in model.constants}
    for i, node in enumerate(model.nodes):
        where = ("nodes", i)
        fewest, most = node.op.arity
        if not fewest <= len(node.inputs) <= (most or len(node.inputs)):
            wanted = str(fewest) if fewest == most else f"{fewest} or more"
            yield (*where, "inputs"), f"node '{node.name}' ({node.op.kind}) takes {wanted} inputs, got {len(node.inputs)}"
            continue
        if not all(name in types for name in node.inputs):
            continue
        arguments = [types[name] for name in node.inputs]
        try:
            types[node.name] = node.op.output(arguments)
        except ValueError as error:
            yield where, f"node '{node.name}' ({node.op.kind}): {error}"
            continue
        yield from _sharing(node, where, arguments, owned)


def _sharing(node: Node, where, arguments, owned: dict[str, Parameter]) -> Iterator[Problem]:
    wanted = {**node.op.parameters(arguments), **node.op.state(arguments)}
    for role in node.parameters:
        if role not in wanted:
            known = ", ".join(wanted) or "no parameters"
            yield (*where, "parameters", role), f"node '{node.name}' has no '{role}'{near_miss(role, wanted)} (it has {known})"
    for role, name in node.names(wanted).items():
        mine, first = wanted[role], owned.setdefault(name, wanted[role])
        if first.shape != mine.shape:
            yield (
                (*where, "parameters", role),
                f"node '{node.name}' wants '{name}' of shape {mine.shape}, but its first user has {first.shape}; "
                "share only between equal shapes",
            )
