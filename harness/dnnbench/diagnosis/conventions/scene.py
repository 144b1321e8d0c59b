"""A replay as conventions see it, and the ways in which they change it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...agreement.observing import Tensors
from ...spec.losses import CrossEntropy
from ...spec.model import Model, Node
from ...spec.ops import OPS
from ...spec.workload import Workload
from ..replay import Replay

Change = Callable[[np.ndarray], np.ndarray]


class Variant(NamedTuple):
    """A replay that the reference computes, and what is done to the tensor in question."""

    replay: Replay
    after: Change = lambda array: array


class Convention(NamedTuple):
    """A name, and what it makes of a scene: a Variant, the tensor itself, or None where it does not apply."""

    name: str
    apply: "Callable[[Scene], Variant | np.ndarray | None]"


CONVENTIONS: dict[str, list[Convention]] = {}
"""By kind of op or loss."""


def convention(name: str, *kinds: str):
    """Register a function of a scene as a convention of some ops or losses."""

    def register(apply):
        for kind in kinds:
            CONVENTIONS.setdefault(kind, []).append(Convention(name, apply))
        return apply

    return register


class Scene:
    """One replay and the tensor of it that is wrong; `truth` holds the reference's tensors by key."""

    def __init__(self, replay: Replay, key: str, truth: Mapping[str, np.ndarray], weights: Tensors):
        self.replay, self.key, self.truth = replay, key, truth
        self.model: Model = replay.workload.model
        self.node: Node = self.model.nodes[-1]
        self.op, self.loss = self.node.op, replay.workload.task.loss
        self.weights = weights
        self._lifts = {n.name: n.inputs for n in self.model.nodes[:-1]}

    def is_lift(self, constant: str) -> bool:
        """Whether a constant is one that the replay adds to an input."""
        return any(lift == constant for _, lift in self._lifts.values())

    @property
    def inputs(self) -> list[np.ndarray]:
        """What the node reads, in float64, in the first batch."""
        return [self._given(name) for name in self.node.inputs]

    def _given(self, name: str) -> np.ndarray:
        source = self._lifts.get(name, (name,))[0]
        found = self.replay.batches[0].inputs
        array = found[source] if source in found else self.weights[source]
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    def parameter(self, role: str) -> np.ndarray:
        """A parameter of the node, in float64."""
        return self.weights[self._parameter_name(role)].astype(np.float64)

    def roles(self) -> list[str]:
        """Names of the node's parameters."""
        return list(self.model.roles(self.node)[0])

    def _parameter_name(self, role: str) -> str:
        return self.model.roles(self.node)[0][role]

    def asks_for_value(self) -> bool:
        """Whether the node's own output in training is in question."""
        return self.key in (f"activations/{self.node.name}", f"outputs/{self.node.name}")

    def value(self, formula: Callable[[], np.ndarray]) -> np.ndarray | None:
        """The formula's result where the node's output is in question, in inference too unless that differs."""
        inference = self.key == f"infer/{self.node.name}" and not (self.op.random or self.model.roles(self.node)[1])
        return formula() if self.asks_for_value() or inference else None

    def input_gradient(self, index: int, formula: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | None:
        """formula(dL/dy) as dL/dx of one input where that is in question, summed over the batch where the lift's is."""
        lifted = self.node.inputs[index]
        if lifted not in self._lifts or self.key not in (f"cotangents/{lifted}", f"gradients/{self._lifts[lifted][1]}"):
            return None
        gradient = formula(self.truth[f"cotangents/{self.node.name}"])
        return gradient if self.key.startswith("cotangents/") else gradient.sum(axis=0)

    def parameter_gradient(self, role: str, formula: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | None:
        """formula(dL/dy) where a parameter's gradient is in question."""
        if self.key != f"gradients/{self._parameter_name(role)}":
            return None
        return formula(self.truth[f"cotangents/{self.node.name}"])

    def with_op(self, kind: str = "", after: Change = lambda array: array, **changes) -> Variant | None:
        """The same scene under another op, or other attributes; None where the shapes do not allow it."""
        attributes = {} if kind else self.op.model_dump()
        op = OPS[kind or self.op.kind](**(attributes | changes))
        return self._with_node(self.node.model_copy(update={"op": op}), after)

    def with_order(self, order: Sequence[int]) -> Variant | None:
        """The same scene with the node's inputs in another order."""
        inputs = tuple(self.node.inputs[i] for i in order)
        return self._with_node(self.node.model_copy(update={"inputs": inputs}), lambda array: array)

    def _with_node(self, node: Node, after: Change) -> Variant | None:
        try:
            model = _rebuilt(self.model, nodes=(*self.model.nodes[:-1], node))
        except ValueError:
            return None
        if model.types[node.name] != self.model.types[self.node.name]:
            return None
        return Variant(replace(self.replay, workload=_with_model(self.replay.workload, model)), after)

    def with_parameters(self, after: Change = lambda array: array, **changes: Change) -> Variant:
        """The same scene with some of the node's parameters changed."""
        new = {
            self._parameter_name(role): change(self.parameter(role)).astype("f4") for role, change in changes.items()
        }
        return Variant(replace(self.replay, weights={**self.replay.weights, **new}), after)

    def with_inputs(self, changes: Mapping[int, Change], after: Change = lambda array: array) -> Variant:
        """The same scene with some of the node's inputs changed, in shape too."""
        names = {self._lifts.get(n, (n,))[0]: change for i, change in changes.items() for n in [self.node.inputs[i]]}
        batches = tuple(
            replace(b, inputs={n: names[n](a).astype(a.dtype) if n in names else a for n, a in b.inputs.items()})
            for b in self.replay.batches
        )
        return self._fed(batches, after)

    def with_masks(self, change: Change) -> Variant:
        """The same scene with another mask in a random op."""
        batches = tuple(
            replace(b, masks={n: change(a).astype(a.dtype) for n, a in b.masks.items()}) for b in self.replay.batches
        )
        return Variant(replace(self.replay, batches=batches))

    def with_loss(self, **changes) -> Variant:
        """The same scene judged by the loss with other attributes."""
        task = self.replay.workload.task
        loss = type(self.loss)(**(self.loss.model_dump() | changes))
        workload = self.replay.workload.model_copy(update={"task": task.model_copy(update={"loss": loss})})
        return Variant(replace(self.replay, workload=workload))

    def labels(self) -> int:
        """How many labels count in the first batch; elements, for other losses."""
        targets = self.replay.batches[0].targets
        if isinstance(self.loss, CrossEntropy) and self.loss.ignored is not None:
            return int(np.sum(targets != self.loss.ignored))
        return targets.size

    def _fed(self, batches, after: Change) -> Variant:
        shapes = {name: array.shape[1:] for name, array in batches[0].inputs.items()}
        lifts = {lift: shapes[source] for source, lift in self._lifts.values()}
        model = _rebuilt(
            self.model,
            inputs=tuple(i.model_copy(update={"shape": shapes[i.name]}) for i in self.model.inputs),
            constants=tuple(c.model_copy(update={"shape": lifts.get(c.name, c.shape)}) for c in self.model.constants),
        )
        return Variant(replace(self.replay, workload=_with_model(self.replay.workload, model), batches=batches), after)


def _rebuilt(model: Model, **changes) -> Model:
    """A Model is checked, and derives what it remembers, when it is made."""
    parts = {"inputs": model.inputs, "constants": model.constants, "nodes": model.nodes, "outputs": model.outputs}
    return Model(name=model.name, **(parts | changes))


def _with_model(workload: Workload, model: Model) -> Workload:
    return Workload(name=workload.name, model=model, task=workload.task, batch_size=workload.batch_size)
