"""Names of values in a script: a node's own, or `x` for what the next line alone reads."""

import keyword
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from ..spec.model import Model, Node

PASSING = "x"
"""What a network hands from one line to the next."""


def resolved(model: Model, random_ops: bool) -> dict[str, str]:
    """By tensor, the one that it is computed as: without `random_ops` a random op passes its input
    on.
    """
    same: dict[str, str] = {source.name: source.name for source in model.sources}
    for node in model.nodes:
        passes = node.op.random and not random_ops
        same[node.name] = same[node.inputs[0]] if passes else node.name
    return same


def value_names(
    model: Model,
    nodes: Sequence[Node],
    same: Mapping[str, str],
    taken: Collection[str],
    chains: bool = True,
) -> dict[str, str]:
    """An identifier for every input and every node among `nodes`, those that stand as a line each.

    With `chains` a value that the next line reads and no other does is `x`, as people write it.
    """
    reads = Counter(same[name] for node in nodes for name in node.inputs)
    kept = {same[name] for name in model.outputs}
    names: dict[str, str] = {}
    for source in model.inputs:
        names[source.name] = _identifier(source.name, {*taken, PASSING, *names.values()})
    following = [[same[name] for name in node.inputs] for node in nodes[1:]]
    for node, after in zip(nodes, [*following, []], strict=True):
        # Read by the next line alone, however often there.
        read_next = 0 < after.count(node.name) == reads[node.name]
        if chains and read_next and node.name not in kept:
            names[node.name] = PASSING
        else:
            names[node.name] = _identifier(node.name, {*taken, PASSING, *names.values()})
    return names


def _identifier(name: str, taken: Collection[str]) -> str:
    """The name with `_` for what Python's names have not, and a number where it is taken."""
    plain = re.sub(r"\W", "_", name)
    candidate, number = plain, 2
    while candidate in taken or keyword.iskeyword(candidate):
        candidate, number = f"{plain}_{number}", number + 1
    return candidate
