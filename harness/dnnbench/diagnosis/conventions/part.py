"""A part replayed alone as conventions see it, and the ways in which they change it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...agreement.keys import Group, TensorKey, gradient_of
from ...agreement.replay import Replay
from ...protocol.batch import Batch
from ...spec.losses import CrossEntropy
from ...spec.model import Model, Node
from ...spec.ops import OPS
from ...spec.phases import Phase
from ...spec.workload import Workload
from ..replay import shifted_inputs
from .convention import Change, Variant, unchanged


class ReplayedPart:
    """A replay and the key of the tensor in it that is wrong, beside the reference's tensors."""

    def __init__(
        self,
        replay: Replay,
        key: TensorKey,
        reference: Mapping[TensorKey, np.ndarray],
        weights: Mapping[str, np.ndarray],
    ) -> None:
        self.replay, self.key, self.reference = replay, key, reference
        self.model: Model = replay.workload.model
        self.node: Node = self.model.nodes[-1]
        # Attributes differ from op to op; a convention is registered for ops that have its own.
        self.op: Any = self.node.op
        self.loss: Any = replay.workload.task.loss
        self.weights = weights
        self._shifted = shifted_inputs(self.model)

    def of(self, replay: Replay) -> "ReplayedPart":
        """The same part of another replay."""
        return ReplayedPart(replay, self.key, self.reference, self.weights)

    def is_offset(self, constant: str) -> bool:
        """Whether a constant is one that the replay adds to an input."""
        return any(shifted.offset == constant for shifted in self._shifted.values())

    @property
    def inputs(self) -> list[np.ndarray]:
        """What the node reads, in float64, in the first batch."""
        return [self._input(name) for name in self.node.inputs]

    def _source(self, name: str) -> str:
        """The input that a node's input stands for."""
        shifted = self._shifted.get(name)
        return shifted.source if shifted else name

    def _input(self, name: str) -> np.ndarray:
        source = self._source(name)
        batch = self.replay.batches[0].inputs
        array = batch[source] if source in batch else self.weights[source]
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    def parameter(self, role: str) -> np.ndarray:
        """A parameter of the node, in float64."""
        return self.weights[self._parameter_name(role)].astype(np.float64)

    def roles(self) -> list[str]:
        """Names of the node's parameters."""
        return list(self.model.roles(self.node)[0])

    def _parameter_name(self, role: str) -> str:
        return self.model.roles(self.node)[0][role]

    @property
    def output(self) -> np.ndarray:
        """The node's value in training, by the reference."""
        return self.reference[TensorKey(Group.ACTIVATIONS, self.node.name)]

    @property
    def inferred(self) -> np.ndarray:
        """The node's value in inference, by the reference."""
        return self.reference[self._inferred_key]

    @property
    def _inferred_key(self) -> TensorKey:
        return TensorKey(Group.OUTPUTS, self.node.name, Phase.INFER)

    @property
    def output_is_wrong(self) -> bool:
        """Whether the node's own value in training is in question."""
        name = self.node.name
        return self.key in (TensorKey(Group.ACTIVATIONS, name), TensorKey(Group.OUTPUTS, name))

    @property
    def loss_is_wrong(self) -> bool:
        """Whether the loss itself is in question."""
        return self.key == TensorKey(Group.LOSS)

    @property
    def inferred_is_wrong(self) -> bool:
        """Whether the node's value in inference is in question."""
        return self.key == self._inferred_key

    def value(self, formula: Callable[[], np.ndarray]) -> np.ndarray | None:
        """The formula's result where the node's value is in question,
        in training or as it infers.
        """
        infers_alike = not (self.op.random or self.model.roles(self.node)[1])
        if self.output_is_wrong or (self.inferred_is_wrong and infers_alike):
            return formula()
        return None

    def input_gradient(self, index: int, formula: Change) -> np.ndarray | None:
        """formula(dL/dy) where dL/dx of an input is in question.

        Its sum over the batch for an offset.
        """
        name = self.node.inputs[index]
        shifted = self._shifted.get(name)
        if shifted is None:
            return None
        if self.key == TensorKey(Group.COTANGENTS, name):
            return formula(self._cotangent)
        if self.key == gradient_of(shifted.offset):
            summed: np.ndarray = formula(self._cotangent).sum(axis=0)
            return summed
        return None

    def parameter_gradient(self, role: str, formula: Change) -> np.ndarray | None:
        """formula(dL/dy) where a parameter's gradient is in question."""
        if self.key != gradient_of(self._parameter_name(role)):
            return None
        return formula(self._cotangent)

    @property
    def _cotangent(self) -> np.ndarray:
        return self.reference[TensorKey(Group.COTANGENTS, self.node.name)]

    def with_op(self, kind: str = "", after: Change = unchanged, **changes: Any) -> Variant | None:
        """The same replay with another op, or other attributes; None where shapes forbid it."""
        attributes = {} if kind else self.op.model_dump()
        op = OPS[kind or self.op.kind](**(attributes | changes))
        return self._with_node(self.node.model_copy(update={"op": op}), after)

    def with_order(self, order: Sequence[int]) -> Variant | None:
        """The same replay with the node's inputs in another order."""
        inputs = tuple(self.node.inputs[i] for i in order)
        return self._with_node(self.node.model_copy(update={"inputs": inputs}), unchanged)

    def _with_node(self, node: Node, after: Change) -> Variant | None:
        try:
            model = _rebuilt(self.model, nodes=(*self.model.nodes[:-1], node))
        except ValueError:
            return None
        if model.types[node.name] != self.model.types[self.node.name]:
            return None
        workload = _with_model(self.replay.workload, model)
        return Variant(replace(self.replay, workload=workload), after)

    def with_parameters(self, after: Change = unchanged, **changes: Change) -> Variant:
        """The same replay with some of the node's parameters changed."""
        weights = dict(self.replay.weights)
        for role, change in changes.items():
            weights[self._parameter_name(role)] = change(self.parameter(role))
        return Variant(replace(self.replay, weights=weights), after)

    def with_inputs(self, changes: Mapping[int, Change], after: Change = unchanged) -> Variant:
        """The same replay with some of the node's inputs changed, in shape too."""
        by_source = {self._source(self.node.inputs[i]): change for i, change in changes.items()}
        batches = []
        for batch in self.replay.batches:
            inputs = _changed(batch.inputs, by_source)
            batches.append(replace(batch, inputs=inputs))
        return self._with_batches(tuple(batches), after)

    def with_factors(self, change: Change) -> Variant:
        """The same replay with what a product reads changed: its float inputs, and its weight."""
        floats = [i for i, x in enumerate(self.inputs) if x.dtype.kind == "f"]
        of_inputs = self.with_inputs(dict.fromkeys(floats, change))
        if "weight" not in self.roles():
            return of_inputs
        of_weight = self.with_parameters(weight=change).replay.weights
        return Variant(replace(of_inputs.replay, weights=of_weight))

    def with_masks(self, change: Change) -> Variant:
        """The same replay with another mask in a random op."""
        batches = []
        for batch in self.replay.batches:
            masks = _changed(batch.masks, dict.fromkeys(batch.masks, change))
            batches.append(replace(batch, masks=masks))
        return Variant(replace(self.replay, batches=tuple(batches)))

    def with_loss(self, **changes: Any) -> Variant:
        """The same replay under the loss with other attributes."""
        task = self.replay.workload.task
        loss = type(self.loss)(**(self.loss.model_dump() | changes))
        changed = task.model_copy(update={"loss": loss})
        workload = self.replay.workload.model_copy(update={"task": changed})
        return Variant(replace(self.replay, workload=workload))

    def labels(self) -> int:
        """How many labels count in the first batch; elements, for other losses."""
        targets = self.replay.batches[0].targets
        if isinstance(self.loss, CrossEntropy) and self.loss.ignored is not None:
            return int(np.sum(targets != self.loss.ignored))
        return targets.size

    def _with_batches(self, batches: tuple[Batch, ...], after: Change) -> Variant:
        """Inputs of other shapes need a model that declares them, and offsets of the same."""
        shapes = {name: array.shape[1:] for name, array in batches[0].inputs.items()}
        inputs = [i.model_copy(update={"shape": shapes[i.name]}) for i in self.model.inputs]
        offsets = {s.offset: shapes[s.source] for s in self._shifted.values()}
        constants = []
        for constant in self.model.constants:
            shape = offsets.get(constant.name, constant.shape)
            constants.append(constant.model_copy(update={"shape": shape}))
        model = _rebuilt(self.model, inputs=tuple(inputs), constants=tuple(constants))
        workload = _with_model(self.replay.workload, model)
        return Variant(replace(self.replay, workload=workload, batches=batches), after)


def _changed(
    arrays: Mapping[str, np.ndarray], changes: Mapping[str, Change]
) -> dict[str, np.ndarray]:
    """Arrays, some of them changed: floats in float64, in which a change is not rounded."""
    changed = dict(arrays)
    for name, change in changes.items():
        if name in changed:
            array = changed[name]
            wide = np.float64 if array.dtype.kind == "f" else array.dtype
            changed[name] = change(array.astype(wide)).astype(wide)
    return changed


def _rebuilt(model: Model, **changes: Iterable[Any]) -> Model:
    """A Model is checked, and derives what it remembers, when it is made."""
    parts: dict[str, Any] = {
        "inputs": model.inputs,
        "constants": model.constants,
        "nodes": model.nodes,
        "outputs": model.outputs,
    }
    return Model(name=model.name, **(parts | changes))


def _with_model(workload: Workload, model: Model) -> Workload:
    return Workload(
        name=workload.name, model=model, task=workload.task, batch_size=workload.batch_size
    )
