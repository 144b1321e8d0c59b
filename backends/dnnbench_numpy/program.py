"""A workload built in NumPy: backpropagation written out."""

from contextlib import nullcontext
from copy import deepcopy

import numpy as np
from dnnbench.protocol.batch import Batch
from dnnbench.protocol.evaluation import evaluate, inference, training
from dnnbench.protocol.program import Program

from . import choices, device, gradients, losses, ops, optimizers, products


class NumpyProgram(Program):
    """Weights, statistics and slots are arrays by name in the arm's element type."""

    def __init__(self, workload, weights, arm, seed):
        self._model, self._task, self._arm = workload.model, workload.task, arm
        self._generator = np.random.Generator(np.random.Philox(seed))
        self.load(weights)

    def put(self, batch):
        as_type = {i.name: self._arm.dtype if i.dtype == "float" else i.dtype for i in self._model.inputs}
        inputs = {name: np.array(array, as_type[name]) for name, array in batch.inputs.items()}
        targets = np.array(batch.targets, self._arm.dtype if batch.targets.dtype.kind == "f" else np.intp)
        return Batch(inputs, targets, {name: np.array(mask, self._arm.dtype) for name, mask in batch.masks.items()})

    def infer(self, batch):
        with self._study():
            values, _ = evaluate(self._model, batch.inputs, self._weights, self._state, inference(ops))
        outputs = self._outputs(values)
        predict = getattr(losses, self._task.loss.prediction)
        return {"outputs": outputs, "prediction": predict(outputs[self._model.outputs[0]])}

    def forward(self, batch):
        values, state, _ = self._forward(batch)
        return {"outputs": self._outputs(values), "state": state}

    def loss(self, batch):
        values, state, _ = self._forward(batch)
        return {"outputs": self._outputs(values), "state": state, "loss": self._loss_of(values, batch)}

    def gradients(self, batch):
        values, state, masks = self._forward(batch)
        _, learned = self._backpropagate(values, masks, self._output_gradient(values, batch))
        loss = self._loss_of(values, batch)
        return {"outputs": self._outputs(values), "state": state, "loss": loss, "gradients": learned}

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
        return {
            f"{slot}/{name}": array.copy() for slot, arrays in self._slots.items() for name, array in arrays.items()
        }

    def model_state(self):
        return {name: array.copy() for name, array in self._state.items()}

    def load(self, weights):
        self._weights = {name: np.array(weights[name], self._arm.dtype) for name in self._model.parameters}
        self._state = {name: np.array(weights[name], self._arm.dtype) for name in self._model.state}
        slots = self._task.optimizer.slots
        self._slots = {slot: {name: np.zeros_like(p) for name, p in self._weights.items()} for slot in slots}
        self._step = 0

    def snapshot(self):
        return deepcopy((self._weights, self._state, self._slots, self._step, self._generator.bit_generator.state))

    def restore(self, snapshot):
        self._weights, self._state, self._slots, self._step, generator = deepcopy(snapshot)
        self._generator.bit_generator.state = generator

    def activations(self, batch):
        values, _, _ = self._forward(batch)
        return {node.name: values[node.name] for node in self._model.nodes}

    def cotangents(self, batch):
        values, _, masks = self._forward(batch)
        flowing, _ = self._backpropagate(values, masks, self._output_gradient(values, batch))
        zeros = {node.name: np.zeros_like(values[node.name]) for node in self._model.nodes}
        return zeros | {name: np.array(g) for name, g in flowing.items() if name in zeros}

    def facts(self):
        return {"device": "cpu", "layout": "NHWC", "dtype": self._arm.dtype, "compilations": 0}

    def peak_memory(self):
        return device.peak_memory(self._arm.device)

    def close(self):
        self._weights = self._state = self._slots = {}

    def _study(self):
        """The summation order, or the flipping of close choices, that this program's mode asks for."""
        match self._arm.mode:
            case "eager":
                return nullcontext()
            case "flipped":
                return choices.flipped()
        return products.summation(self._arm.mode)

    def _forward(self, batch):
        masks = dict(batch.masks)
        for node in self._model.nodes:
            if node.op.random and node.name not in masks:
                masks[node.name] = self._draw(node, batch.size)
        with self._study():
            apply = training(ops, masks, lambda node: None)
            values, state = evaluate(self._model, batch.inputs, self._weights, self._state, apply)
        return values, state, masks

    def _draw(self, node, size):
        drawn = self._generator.random((size, *self._model.types[node.name].shape), np.float32)
        return (drawn >= node.op.rate).astype(self._arm.dtype)

    def _outputs(self, values):
        return {name: values[name] for name in self._model.outputs}

    def _loss_of(self, values, batch):
        loss = self._task.loss
        return getattr(losses, loss.kind)(loss, values[self._model.outputs[0]], batch.targets)

    def _output_gradient(self, values, batch):
        loss = self._task.loss
        return getattr(gradients, loss.kind)(loss, values[self._model.outputs[0]], batch.targets)

    def _backpropagate(self, values, masks, output_gradient):
        """(dL/d of every tensor that depends on a parameter, dL/d of every parameter), the chain rule backwards."""
        model = self._model
        flowing = {model.outputs[0]: output_gradient}
        learned = {}
        with self._study():
            for node in reversed(model.nodes):
                if node.name not in flowing or node.name not in model.learned:
                    continue
                inputs, roles = self._node_gradient(node, flowing[node.name], values, masks)
                for name, gradient in zip(node.inputs, inputs, strict=True):
                    if name in model.learned:
                        _accumulate(flowing, name, gradient())
                names = node.names(roles)
                for role, gradient in roles.items():
                    _accumulate(learned, names[role], gradient)
        for constant in model.constants:
            if constant.name in flowing:
                _accumulate(learned, constant.name, flowing[constant.name])
        return flowing, {
            name: learned[name] if name in learned else np.zeros_like(p) for name, p in self._weights.items()
        }

    def _node_gradient(self, node, g, values, masks):
        parameters = {role: self._weights[name] for role, name in self._model.roles(node)[0].items()}
        if node.op.random:
            parameters["mask"] = masks[node.name]
        arguments = [values[name] for name in node.inputs]
        return getattr(gradients, node.op.kind)(node.op, g, values[node.name], *arguments, **parameters)

    def _update(self, found):
        self._step += 1
        optimizer = self._task.optimizer
        getattr(optimizers, optimizer.kind)(optimizer, self._weights, found, self._slots, self._step)


def _accumulate(sums, name, gradient):
    """Several users of one tensor add up their gradients."""
    sums[name] = sums[name] + gradient if name in sums else gradient
