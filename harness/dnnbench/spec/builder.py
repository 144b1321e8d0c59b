"""Write a network as it reads: each call adds a node and gives its name,
to be used as the next one's input.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from .model import MOST_NODES, Constant, Input, Model, Node
from .ops import OPS
from .tensor import ZEROS, Initializer, Kind


class Builder:
    """Builds a Model node by node.

    >>> net = Builder("tiny")
    >>> x = net.input("image", (8, 8, 1))
    >>> x = net.conv2d(x, filters=4, kernel=3)
    >>> x = net.relu(x)
    >>> x = net.flatten(x)
    >>> model = net.build(net.dense(x, units=10, name="logits"))
    >>> model.types["logits"].shape
    (10,)

    Every op of `dnnbench.spec.ops` is a method of its kind's name;
    unnamed nodes are called `<kind><number>`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._inputs: list[Input] = []
        self._constants: list[Constant] = []
        self._nodes: list[Node] = []
        self._kinds: Counter[str] = Counter()

    def input(self, name: str, shape: Sequence[int], dtype: Kind = "float") -> str:
        """A batched input; `shape` is one example's."""
        self._inputs.append(Input(name=name, shape=tuple(shape), dtype=dtype))
        return name

    def constant(self, name: str, shape: Sequence[int], initializer: Initializer = ZEROS) -> str:
        """A learned array without a batch axis."""
        self._constants.append(Constant(name=name, shape=tuple(shape), initializer=initializer))
        return name

    def __getattr__(self, kind: str) -> Callable[..., str]:
        if kind not in OPS:
            raise AttributeError(f"no op is called '{kind}'; there are {', '.join(OPS)}")

        def add(
            *inputs: str,
            name: str | None = None,
            share: dict[str, str] | None = None,
            **attributes: Any,
        ) -> str:
            if len(self._nodes) >= MOST_NODES:
                raise ValueError(
                    f"network '{self._name}' has more than {MOST_NODES:,} nodes, which is the limit"
                )
            # Counted by kind: a node more of another kind renames none.
            name = name or f"{kind}{1 + self._kinds[kind]}"
            op = OPS[kind](**attributes)
            self._nodes.append(Node(name=name, op=op, inputs=inputs, parameters=share or {}))
            self._kinds[kind] += 1
            return name

        return add

    def build(self, *outputs: str) -> Model:
        """The finished Model; raises pydantic's ValidationError with every problem of the graph."""
        return Model(
            name=self._name,
            inputs=tuple(self._inputs),
            constants=tuple(self._constants),
            nodes=tuple(self._nodes),
            outputs=outputs,
        )
