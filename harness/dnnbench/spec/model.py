"""The abstract network: a directed acyclic graph of named nodes."""

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from .ops import AnyOp
from .tensor import ZEROS, Initializer, Kind, Name, Parameter, Shape, Spec, TensorType

MOST_NODES = 10_000
"""Of a network, and so of whatever else a list or table of its file holds."""
MOST_PROBLEMS = 50
"""Reported of one network: near misses of every one of many cost the square of their number,
and few read more.
"""


class Input(Spec):
    """A batched tensor that the user feeds; `shape` is one example's."""

    name: Name
    shape: Shape
    dtype: Kind = "float"

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape, self.dtype)


class Constant(Spec):
    """A learned array without a batch axis: a class token, positions, a layer scale."""

    name: Name
    shape: Shape
    initializer: Initializer = ZEROS

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape, batched=False)


class Node(Spec):
    """An op applied to earlier tensors.

    `parameters` renames roles: {"weight": "embed.weight"} makes the node use that parameter, which
    it then shares with whoever else names it. A role that is not renamed is called `<node>.<role>`.
    """

    name: Name
    op: AnyOp
    inputs: tuple[Name, ...]
    parameters: dict[str, Name] = Field(default_factory=dict)

    def names(self, roles: Iterable[str]) -> dict[str, str]:
        """Parameter or state name by role."""
        return {role: self.parameters.get(role, f"{self.name}.{role}") for role in roles}


class GraphError(ValueError):
    """Problems of a graph, each with the key path where it stands.

    The first MOST_PROBLEMS, and one more if there are more.
    """

    def __init__(self, problems: list[tuple[tuple[str | int, ...], str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(text for _, text in problems))


class Reading(NamedTuple):
    """A node with the names of all that it reads, as a walk through the graph wants them.

    parameters, state: (role, name) of each
    spent: tensors that no node reads after it
    """

    node: Node
    inputs: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    state: tuple[tuple[str, str], ...]
    spent: tuple[str, ...]


class Model(Spec):
    """Inputs, learned constants, nodes in topological order, and the nodes whose values
    are the result.

    The first output is what a loss reads.
    """

    name: Name
    inputs: tuple[Input, ...] = Field(min_length=1, max_length=MOST_NODES)
    constants: tuple[Constant, ...] = Field((), max_length=MOST_NODES)
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=MOST_NODES)
    outputs: tuple[Name, ...] = Field(min_length=1, max_length=MOST_NODES)

    @field_validator("nodes", mode="after")
    @classmethod
    def _in_order(cls, nodes: tuple[Node, ...], info: ValidationInfo) -> tuple[Node, ...]:
        """`mul(gate, x)` is kept as `mul(x, gate)`: two spellings of one network have one hash."""
        from .soundness import in_order

        sources = (*info.data.get("inputs", ()), *info.data.get("constants", ()))
        return tuple(in_order(nodes, {source.name: source.type for source in sources}))

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        from .soundness import problems_of

        if problems := problems_of(self, MOST_PROBLEMS + 1):
            raise GraphError(problems)
        return self

    @property
    def sources(self) -> tuple[Input | Constant, ...]:
        """What nodes read and no node makes."""
        return (*self.inputs, *self.constants)

    @cached_property
    def types(self) -> dict[str, TensorType]:
        """Type of every input, constant and node by name."""
        types = {source.name: source.type for source in self.sources}
        for node in self.nodes:
            types[node.name] = node.op.output([types[name] for name in node.inputs])
        return types

    def input_types(self, node: Node) -> list[TensorType]:
        """Types of what the node reads."""
        return [self.types[name] for name in node.inputs]

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """Every array that training learns, once, by name: constants first, then by node."""
        parameters = {c.name: Parameter(c.shape, c.initializer) for c in self.constants}
        return self._with_owned("parameters", parameters)

    @cached_property
    def state(self) -> dict[str, Parameter]:
        """Every array that training updates without a gradient, by name."""
        return self._with_owned("state", {})

    def _with_owned(self, what: str, arrays: dict[str, Parameter]) -> dict[str, Parameter]:
        """`arrays`, and those that nodes own as `parameters` or `state`.

        Of a shared one the first node's.
        """
        for node in self.nodes:
            owned = getattr(node.op, what)(self.input_types(node))
            for role, name in node.names(owned).items():
                arrays.setdefault(name, owned[role])
        return arrays

    def roles(self, node: Node) -> tuple[dict[str, str], dict[str, str]]:
        """(parameter names by role, state names by role) of one node."""
        return self._roles[node.name]

    @cached_property
    def _roles(self) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
        roles = {}
        for node in self.nodes:
            types = self.input_types(node)
            parameters = node.names(node.op.parameters(types))
            state = node.names(node.op.state(types))
            roles[node.name] = parameters, state
        return roles

    @cached_property
    def vocabularies(self) -> dict[str, int]:
        """How many ids an integer input may take, by the smallest table
        that is looked up with it.
        """
        sizes: dict[str, int] = {}
        for node in self.nodes:
            size = getattr(node.op, "vocabulary", None)
            if size is not None:
                name = node.inputs[0]
                sizes[name] = min(size, sizes.get(name, size))
        return sizes

    @cached_property
    def spent(self) -> dict[str, tuple[str, ...]]:
        """By node, the tensors that no node reads after it; outputs are never spent."""
        last_reader: dict[str, str] = {}
        for node in self.nodes:
            last_reader |= dict.fromkeys((node.name, *node.inputs), node.name)
        spent: dict[str, list[str]] = {node.name: [] for node in self.nodes}
        kept = set(self.outputs)
        for name, reader in last_reader.items():
            if name not in kept:
                spent[reader].append(name)
        return {reader: tuple(names) for reader, names in spent.items()}

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """Of every node, in order."""
        readings = []
        for node in self.nodes:
            parameters, state = (tuple(names.items()) for names in self.roles(node))
            spent = self.spent[node.name]
            readings.append(Reading(node, node.inputs, parameters, state, spent))
        return tuple(readings)

    @cached_property
    def learned(self) -> frozenset[str]:
        """Tensors that depend on a parameter: backpropagation carries gradients to these
        and to no other.
        """
        learned = {c.name for c in self.constants}
        for node in self.nodes:
            own_parameters, _ = self.roles(node)
            if own_parameters or learned & set(node.inputs):
                learned.add(node.name)
        return frozenset(learned)

    @cached_property
    def spec_hash(self) -> str:
        """16 hex digits that change whenever the meaning does:
        weights files and stores key on it.
        """
        text = json.dumps(self.model_dump(mode="json", exclude={"name"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def node(self, name: str) -> Node:
        """The node of that name; KeyError if there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}
