"""A graph of ONNX operators as it is being written: steps in order, and arrays that they read."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

INT64 = 7
"""The element type as ONNX numbers it (TensorProto.DataType)."""
Attribute = int | float | str | Sequence[int]


@dataclass(frozen=True)
class Step:
    """One ONNX operator applied to tensors by name."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]

    def renamed(self, old: str, new: str) -> "Step":
        """The same step with a tensor under another name."""
        if old not in self.inputs + self.outputs:
            return self

        def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(new if name == old else name for name in names)

        return replace(self, inputs=renamed(self.inputs), outputs=renamed(self.outputs))


@dataclass
class Graph:
    """Steps and arrays of one network.

    Names of the network's own tensors and parameters stand as they are. All others have a `/`,
    which no name of a network has: `conv1/Conv` is what ONNX's Conv makes for the node conv1.
    """

    dtype: np.dtype[np.floating]
    """Of all that floats."""
    steps: list[Step] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    scope: str = ""
    """The node of the network that is being written."""
    _taken: set[str] = field(default_factory=set)
    _forms: dict[tuple[str, Hashable], str] = field(default_factory=dict)
    _made: dict[Hashable, str] = field(default_factory=dict)
    _published: dict[str, str] = field(default_factory=dict)
    _reordered: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether it floats in float64, where an attribute, a float32, would round an epsilon."""
        return self.dtype == np.float64

    def reserve(self, names: Iterable[str]) -> None:
        """Keep names of the network for its own tensors."""
        self._taken.update(names)

    def run(self, kind: str, *inputs: str, **attributes: Attribute) -> str:
        """The one result of an operator; an input that is left out is ''."""
        return self.run_for(1, kind, *inputs, **attributes)[0]

    def run_for(
        self, results: int, kind: str, *inputs: str, **attributes: Attribute
    ) -> tuple[str, ...]:
        """The first `results` results of an operator."""
        name = self._unused(f"{self.scope}/{kind}")
        outputs = (name, *(self._unused(f"{name}/{i}") for i in range(1, results)))
        self.steps.append(Step(kind, name, tuple(inputs), outputs, dict(attributes)))
        return outputs

    def constant(self, values: Sequence[int] | float | np.ndarray) -> str:
        """An array of no parameter: whole numbers in int64, others in the graph's type."""
        array = np.asarray(values)
        array = array.astype(np.int64 if array.dtype.kind in "iu" else array.dtype)
        array = array.astype(self.dtype) if array.dtype.kind == "f" else array
        return self._add(self._unused(f"{self.scope}/constant"), array)

    def parameter(self, name: str, array: np.ndarray, form: Hashable = None) -> str:
        """A parameter in one of its forms (an order of axes, a part): each form is kept once.

        The first form has the parameter's own name.
        """
        key = name, form
        if key not in self._forms:
            self._forms[key] = self._add(self._unused(name), array)
        return self._forms[key]

    def reordered(
        self, name: str, places: tuple[int, ...], sizes: Sequence[int] | None = None
    ) -> str:
        """`name` with its places in another order, once whoever asks.

        sizes: of the result, 0 for the batch, where nothing moves in memory.
        """
        key = name, places
        if key not in self._reordered:
            result = (
                self.run("Transpose", name, perm=places)
                if sizes is None
                else self.run("Reshape", name, self.constant(sizes))
            )
            back = tuple(sorted(range(len(places)), key=places.__getitem__))
            self._reordered |= {key: result, (result, back): name}
        return self._reordered[key]

    def once(self, key: Hashable, make: Callable[[], str]) -> str:
        """What `make` adds, the first time that it is wanted under this key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def publish(self, name: str, public: str) -> None:
        """Give a tensor the name under which it leaves the graph."""
        if name in self._published or not any(name in step.outputs for step in self.steps):
            source = self._published.get(name, name)
            if source != public:
                self.steps.append(Step("Identity", f"{public}/Identity", (source,), (public,), {}))
            return
        self._published[name] = public
        self.steps = [step.renamed(name, public) for step in self.steps]

    def _add(self, name: str, array: np.ndarray) -> str:
        self.arrays[name] = array
        self._taken.add(name)
        return name

    def _unused(self, name: str) -> str:
        candidate, number = name, 2
        while candidate in self._taken:
            candidate, number = f"{name}/{number}", number + 1
        self._taken.add(candidate)
        return candidate
