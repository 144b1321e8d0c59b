"""Whether a graph can be computed at all: every problem is found in one pass,
each with its key path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from itertools import chain, islice
from typing import TYPE_CHECKING

from ..wording import listed, near_miss
from .tensor import Parameter, TensorType

if TYPE_CHECKING:
    from .model import Constant, Input, Model, Node

Place = tuple[str | int, ...]
"""A key path."""
Problem = tuple[Place, str]
RESERVED = frozenset({"activations", "cotangents", "infer", "outputs", "parts", "prediction"})
"""Groups of tensors with a row for each example: a check tells them by these words."""
MOST_ELEMENTS = 2**40
TOO_MANY = "more than 2^40 elements (4 TB in float32), which no machine holds; make it smaller"


def problems_of(model: Model, most: int) -> list[Problem]:
    """The first `most` of: reserved and duplicate names, unknown or cyclic inputs, shape clashes,
    unfit sharing.

    Whatever is wrong, the time grows with the size of the model and not with its square.
    """
    every = chain(
        _reserved(model),
        _duplicates(model),
        _wiring(model),
        _outputs(model),
        _sources(model),
        _shapes(model),
    )
    return list(islice(every, most))


def _names(model: Model) -> list[tuple[tuple[str, int], str]]:
    names = {
        "inputs": [source.name for source in model.inputs],
        "constants": [constant.name for constant in model.constants],
        "nodes": [node.name for node in model.nodes],
    }
    placed = []
    for key, group in names.items():
        placed += [((key, i), name) for i, name in enumerate(group)]
    return placed


def _reserved(model: Model) -> Iterator[Problem]:
    names: list[tuple[Place, str]] = [((*place, "name"), name) for place, name in _names(model)]
    for i, node in enumerate(model.nodes):
        shared = node.parameters.items()
        names += [(("nodes", i, "parameters", role), name) for role, name in shared]
    for where, name in names:
        if name in RESERVED:
            text = f"the name '{name}' is reserved for a group of tensors that a check compares"
            yield where, f"{text}; choose another, such as '{name}1'"


def _duplicates(model: Model) -> Iterator[Problem]:
    counts = Counter(name for _, name in _names(model))
    seen = set()
    for where, name in _names(model):
        if counts[name] > 1 and name in seen:
            yield (
                (*where, "name"),
                f"the name '{name}' is taken by an earlier entry; give each its own",
            )
        seen.add(name)


def _wiring(model: Model) -> Iterator[Problem]:
    earlier = {name for (key, _), name in _names(model) if key != "nodes"}
    later = {node.name for node in model.nodes}
    cyclic = _cyclic(model)
    cycles = {cycle[0]: cycle for cycle in _cycles(model, cyclic)}
    for i, node in enumerate(model.nodes):
        for j, source in enumerate(node.inputs):
            where = ("nodes", i, "inputs", j)
            if source in earlier:
                continue
            if source not in later:
                hint = near_miss(source, earlier | later)
                yield where, f"node '{node.name}' reads '{source}', which does not exist{hint}"
            elif not {node.name, source} <= cyclic:
                text = f"node '{node.name}' reads '{source}', which comes later"
                yield where, f"{text}; move '{source}' before '{node.name}'"
            elif node.name in cycles and source == cycles[node.name][-1]:
                circle = listed([*cycles.pop(node.name), node.name], " -> ")
                yield (
                    where,
                    f"cycle: {circle}; a network must be acyclic, break one of these inputs",
                )
        earlier.add(node.name)


def _cyclic(model: Model) -> set[str]:
    """Nodes on a cycle, or between two."""
    fed = {name for (key, _), name in _names(model) if key != "nodes"}
    sources = {node.name: node.inputs for node in model.nodes if node.name not in fed}
    stuck = _without_order(sources)
    readers: dict[str, list[str]] = {name: [] for name in stuck}
    for name in stuck:
        for source in stuck.intersection(sources[name]):
            readers[source].append(name)
    return _without_order(readers)


def _without_order(before: Mapping[str, Iterable[str]]) -> set[str]:
    """Names that no order puts behind all that stand `before` them:
    those on a cycle, and behind one.
    """
    sorter = TopologicalSorter(before)
    with suppress(CycleError):  # it names one cycle; the sorter still gives what can be ordered
        sorter.prepare()
    left = set(before)
    while ready := sorter.get_ready():
        left.difference_update(ready)
        sorter.done(*ready)
    return left


def _cycles(model: Model, cyclic: set[str]) -> Iterator[list[str]]:
    """Cycles without a node in common, each in the direction of data from its earliest node on."""
    reads = {
        node.name: _first_of(node.inputs, cyclic) for node in model.nodes if node.name in cyclic
    }
    place = {name: i for i, name in enumerate(reads)}
    seen: set[str] = set()
    for start in reads:
        way: dict[str, int] = {}
        name = start
        while name not in seen:
            seen.add(name)
            way[name] = len(way)
            name = reads[name]
        if name in way:
            cycle = list(way)[way[name] :][::-1]
            earliest = cycle.index(min(cycle, key=place.__getitem__))
            yield [*cycle[earliest:], *cycle[:earliest]]


def _first_of(names: Iterable[str], wanted: set[str]) -> str:
    return next(name for name in names if name in wanted)


def _outputs(model: Model) -> Iterator[Problem]:
    names = {node.name for node in model.nodes}
    for i, name in enumerate(model.outputs):
        if name not in names:
            yield ("outputs", i), f"no node is called '{name}'{near_miss(name, names)}"


def _sources(model: Model) -> Iterator[Problem]:
    groups: dict[str, Sequence[Input | Constant]] = {
        "inputs": model.inputs,
        "constants": model.constants,
    }
    for key, sources in groups.items():
        for i, source in enumerate(sources):
            if source.type.size > MOST_ELEMENTS:
                yield (key, i, "shape"), f"'{source.name}' has {TOO_MANY}"


def _shapes(model: Model) -> Iterator[Problem]:
    """Walk in order.

    A node behind a broken one stays untyped and unreported, so that each fault is reported once.
    """
    types = {
        source.name: source.type for source in model.sources if source.type.size <= MOST_ELEMENTS
    }
    owned: dict[str, Parameter] = {
        c.name: Parameter(c.shape, c.initializer) for c in model.constants
    }
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


def in_order(nodes: Iterable[Node], types: dict[str, TensorType]) -> Iterator[Node]:
    """The nodes, each with its inputs in the order that its op keeps them in.

    One that cannot be computed as it is.
    """
    for node in nodes:
        if all(name in types for name in node.inputs) and not _arity_problem(node):
            order = node.op.order([types[name] for name in node.inputs])
            ordered = tuple(node.inputs[i] for i in order)
            with suppress(ValueError):  # _shapes tells why
                types.setdefault(node.name, node.op.output([types[name] for name in ordered]))
                node = (
                    node if ordered == node.inputs else node.model_copy(update={"inputs": ordered})
                )
        yield node


def _arity_problem(node: Node) -> str | None:
    fewest, most = node.op.arity
    if fewest <= len(node.inputs) <= (most or len(node.inputs)):
        return None
    wanted = f"{fewest}{'' if fewest == most else ' or more'} input{'' if most == 1 else 's'}"
    return f"node '{node.name}' ({node.op.kind}) takes {wanted}, got {len(node.inputs)}"


def _output(node: Node, arguments: list[TensorType]) -> TensorType:
    """The op's shape rule, and a limit that keeps absurd sizes out of every later count."""
    result = node.op.output(arguments)
    sizes = {"output": result.size}
    sizes |= {role: parameter.size for role, parameter in node.op.parameters(arguments).items()}
    for what, size in sizes.items():
        if size > MOST_ELEMENTS:
            raise ValueError(f"its {what} has {TOO_MANY}")
    return result


def _sharing(
    node: Node, where: Place, arguments: list[TensorType], owned: dict[str, Parameter]
) -> Iterator[Problem]:
    wanted = {**node.op.parameters(arguments), **node.op.state(arguments)}
    for role in node.parameters:
        if role not in wanted:
            text = f"node '{node.name}' has no '{role}'{near_miss(role, wanted)}"
            yield (
                (*where, "parameters", role),
                f"{text} (it has {', '.join(wanted) or 'no parameters'})",
            )
    for role, name in node.names(wanted).items():
        mine, first = wanted[role], owned.setdefault(name, wanted[role])
        if first.shape != mine.shape:
            yield (
                (*where, "parameters", role),
                f"node '{node.name}' wants '{name}' of shape {mine.shape}, but its first user has "
                f"{first.shape}; share only between equal shapes",
            )
