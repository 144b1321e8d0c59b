"""A workload built in NumPy: backpropagation written out."""

from contextlib import nullcontext
from copy import deepcopy
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from dnnbench.protocol.batch import Batch
from dnnbench.protocol.evaluation import evaluate, inference, outputs, training
from dnnbench.protocol.precision import LOSS_SCALE, cast_around, computed_in
from dnnbench.protocol.profile import NodeClock
from dnnbench.protocol.program import TrainingProgram

from . import choices, device, figures, gradients, losses, ops, optimizers, products
from .once import together
from .rounding import cast, computing

_NOTHING = nullcontext()
"""Around what needs no context."""


class _Step(NamedTuple):
    """What backpropagation reads of a node, in the type that it computed in."""

    arguments: list
    parameters: dict[str, Any]
    value: np.ndarray


class NumpyProgram(TrainingProgram):
    """Weights, statistics and slots are arrays by name in the element type that the arm keeps.

    Types that NumPy has no arithmetic in are emulated in float32, see `rounding`.
    """

    def __init__(self, workload, weights, arm, seed):
        self._model, self._task, self._arm = workload.model, workload.task, arm
        self._precision, self._dtype = arm.precision, arm.precision.weights
        self._emulates = self._precision.products != self._dtype
        self._cast = cast if self._emulates else _as_it_is
        self._types = computed_in(self._model, self._precision)
        self._backwards = [n for n in reversed(self._model.nodes) if n.name in self._model.learned]
        self._generator = np.random.Generator(np.random.Philox(seed))
        self._clock = None
        self.load(weights)

    def put(self, batch):
        inputs = {i.name: self._placed(i, batch.inputs[i.name]) for i in self._model.inputs}
        of_floats = batch.targets.dtype.kind == "f"
        target_dtype = self._dtype if of_floats else np.intp
        targets = np.array(batch.targets, target_dtype)
        masks = {name: np.array(mask, self._dtype) for name, mask in batch.masks.items()}
        return Batch(inputs, targets, masks)

    def infer(self, batch):
        apply = self._cast_around(self._emulated(inference(ops)))
        with self._study():
            values = outputs(self._model, batch.inputs, self._weights, self._state, apply)
        predict = getattr(losses, self._task.loss.prediction)
        return {"outputs": values, "prediction": predict(values[self._model.outputs[0]])}

    def forward(self, batch):
        values, state, _ = self._forward(batch)
        return {"outputs": self._outputs(values), "state": state}

    def loss(self, batch):
        values, state, _ = self._forward(batch)
        return {
            "outputs": self._outputs(values),
            "state": state,
            "loss": self._loss_of(values, batch),
        }

    def gradients(self, batch):
        with together():
            values, state, tape = self._forward(batch)
            loss = self._loss_of(values, batch)
            _, learned = self._backpropagate(tape, self._output_gradient(values, batch))
        return {
            "outputs": self._outputs(values),
            "state": state,
            "loss": loss,
            "gradients": learned,
        }

    def train_step(self, batch):
        result = self.gradients(batch)
        self._state = result["state"]
        self._update(result["gradients"])
        return {"outputs": result["outputs"], "loss": result["loss"]}

    def pieces(self, batch):
        values, _, _ = self._forward(batch)
        stored = self.gradients(batch)["gradients"]
        return {
            "loss_alone": lambda: {"loss": self._loss_of(values, batch)},
            "update_alone": lambda: self._update(stored),
        }

    def wait(self, result):
        """NumPy has finished when it returns."""

    def get(self, result):
        flat = {}
        for group, value in result.items():
            if isinstance(value, dict):
                flat |= {f"{group}/{name}": np.array(array) for name, array in value.items()}
            else:
                flat[group] = np.array(value)
        return flat

    def weights(self):
        return {name: array.copy() for name, array in self._weights.items()}

    def optimizer_state(self):
        state = {}
        for slot, arrays in self._slots.items():
            state |= {f"{slot}/{name}": array.copy() for name, array in arrays.items()}
        return state

    def model_state(self):
        return {name: array.copy() for name, array in self._state.items()}

    def load(self, weights):
        self._weights = {
            name: np.array(weights[name], self._dtype) for name in self._model.parameters
        }
        self._state = {name: np.array(weights[name], self._dtype) for name in self._model.state}
        self._slots = {slot: self._zeros() for slot in self._task.optimizer.slots}
        self._step = 0

    def snapshot(self):
        generator = self._generator.bit_generator.state
        return deepcopy((self._weights, self._state, self._slots, self._step, generator))

    def restore(self, snapshot):
        self._weights, self._state, self._slots, self._step, generator = deepcopy(snapshot)
        self._generator.bit_generator.state = generator

    def activations(self, batch):
        values, _, _ = self._forward(batch)
        return {node.name: values[node.name] for node in self._model.nodes}

    def cotangents(self, batch):
        values, _, tape = self._forward(batch)
        flowing, _ = self._backpropagate(tape, self._output_gradient(values, batch), keep=True)
        zeros = {node.name: np.zeros_like(values[node.name]) for node in self._model.nodes}
        return zeros | {name: self._unscaled(g) for name, g in flowing.items() if name in zeros}

    def facts(self):
        half = np.full(1, np.finfo(self._dtype).tiny) / 2
        return {
            "device": "cpu",
            "layout": "NHWC",
            "dtype": self._precision.name,
            "threads": device.threads(),
            "tf32": False,
            "denormals": "kept" if half[0] > 0 else "flushed to zero",
            "donation": "in place",
            "autotune": "off",
            "compilations": 0,
        }

    def peak_memory(self):
        return device.peak_memory(self._arm.device)

    def device_seconds(self, work):
        return device.seconds(self._arm.device, work)

    def profile(self, phase, batch, calls):
        self._clock = clock = NodeClock()
        try:
            begin = perf_counter()
            for _ in range(calls):
                getattr(self, phase)(batch)
            return clock.profile(perf_counter() - begin, calls)
        finally:
            self._clock = None

    def figures(self, phase, batch):
        self._clock = counter = figures.NodeCounter()
        try:
            return figures.of_call(lambda: getattr(self, phase)(batch), counter)
        finally:
            self._clock = None

    def close(self):
        self._weights = self._state = self._slots = {}

    def _study(self):
        """The summation order, or the flipping of close choices, that this program's
        mode asks for.
        """
        mode = self._arm.mode
        if mode == "eager":
            return _NOTHING
        return choices.flipped() if mode == "flipped" else products.summation(mode)

    def _zeros(self):
        return {name: np.zeros_like(p) for name, p in self._weights.items()}

    def _placed(self, source, array):
        if source.dtype != "float":
            return np.array(array, source.dtype)
        return cast(np.array(array, self._dtype), self._precision.values)

    def _forward(self, batch):
        """(value of every tensor, state after the pass, what backpropagation reads of each node)"""
        masks = {node.name: self._mask(node, batch) for node in self._model.nodes if node.op.random}
        tape: dict[str, _Step] = {}
        apply = training(ops, masks, lambda node: None)
        apply = self._cast_around(_recorded(self._emulated(apply), tape, masks))
        with self._study():
            values, state = evaluate(self._model, batch.inputs, self._weights, self._state, apply)
        return values, state, tape

    def _mask(self, node, batch):
        """The batch's mask, or a new one: drawn here, as backpropagation reads it again."""
        if node.name in batch.masks:
            return batch.masks[node.name]
        shape = (batch.size, *node.op.mask_shape(self._model.input_types(node)))
        draw = self._generator.random(shape, np.float32)
        return (draw >= node.op.rate).astype(self._dtype)

    def _emulated(self, apply):
        """`apply` in the type that each op computes in; as it is where NumPy has the type."""
        if not self._emulates:
            return apply

        def computed(node, arguments, parameters, state):
            inside, _ = self._types[node.name]
            with computing(inside):
                value, changed = apply(node, arguments, parameters, state)
            return cast(value, inside), changed

        return computed

    def _cast_around(self, apply):
        """`apply` with its arguments in the types that ops read, and a clock around it
        while it is profiled.
        """
        whole = cast_around(self._model, apply, self._precision, cast)
        return whole if self._clock is None else self._clock.around("forward", whole)

    def _outputs(self, values):
        return {name: values[name] for name in self._model.outputs}

    def _loss_of(self, values, batch):
        loss = self._task.loss
        return getattr(losses, loss.kind)(loss, values[self._model.outputs[0]], batch.targets)

    def _output_gradient(self, values, batch):
        loss = self._task.loss
        g = getattr(gradients, loss.kind)(loss, values[self._model.outputs[0]], batch.targets)
        return g * LOSS_SCALE if self._precision.scaled else g

    def _unscaled(self, g):
        return g / LOSS_SCALE if self._precision.scaled else g

    def _backpropagate(self, tape, output_gradient, keep=False):
        """(dL/d of every tensor that depends on a parameter, dL/d of every parameter),
        the chain rule backwards.

        Gradients of tensors are let go after their last use unless `keep`;
        those of a scaled loss are scaled.
        """
        flowing, learned = {}, {}
        through = self._through
        if self._clock is not None:
            through = self._clock.around("backward", through)
        self._flow(flowing, self._model.outputs[0], output_gradient)
        with self._study():
            for node in self._backwards:
                if node.name in flowing:
                    g = flowing[node.name] if keep else flowing.pop(node.name)
                    through(node, tape[node.name], g, flowing, learned)
        for constant in self._model.constants:
            if constant.name in flowing:
                _accumulate(learned, constant.name, flowing[constant.name])
        # In the order of the parameters, in which the norm that clips adds their squares.
        by_parameter = {}
        for name, p in self._weights.items():
            by_parameter[name] = (
                self._unscaled(learned[name]) if name in learned else np.zeros_like(p)
            )
        return flowing, by_parameter

    def _through(self, node, step, g, flowing, learned):
        """Carry dL/d of a node's value to its inputs and parameters."""
        inside, _ = self._types[node.name]
        carried = self._model.learned
        with computing(inside) if self._emulates else _NOTHING:
            backward = getattr(gradients, node.op.kind)
            inputs, roles = backward(node.op, g, step.value, *step.arguments, **step.parameters)
            for name, to_input in zip(node.inputs, inputs, strict=False):  # ids and masks have none
                if name in carried:
                    self._flow(flowing, name, self._cast(to_input(), inside))
        names, _ = self._model.roles(node)
        for role, gradient in roles.items():
            _accumulate(learned, names[role], self._cast(gradient, inside))

    def _flow(self, flowing, name, gradient):
        """Add to dL/d of a tensor, in that tensor's own type."""
        _, own = self._types[name]
        _accumulate(flowing, name, self._cast(gradient, own))
        flowing[name] = self._cast(flowing[name], own)

    def _update(self, gradients):
        if self._precision.scaled and not all(np.isfinite(g).all() for g in gradients.values()):
            return
        self._step += 1
        optimizer = self._task.optimizer
        with self._study():
            update = getattr(optimizers, optimizer.kind)
            update(optimizer, self._weights, gradients, self._slots, self._step)


def _as_it_is(x, type_name):
    """What stands in for `cast` where NumPy has every type."""
    return x


def _recorded(apply, tape, masks):
    """`apply`, which leaves on the tape what each node computed with."""

    def computed(node, arguments, parameters, state):
        value, changed = apply(node, arguments, parameters, state)
        if node.op.random:
            parameters = parameters | {"mask": masks[node.name]}
        tape[node.name] = _Step(arguments, parameters, value)
        return value, changed

    return computed


def _accumulate(sums, name, gradient):
    """Several users of one tensor add up their gradients."""
    sums[name] = sums[name] + gradient if name in sums else gradient
