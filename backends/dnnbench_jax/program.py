"""A workload built in JAX: pure functions of weights and a batch, and the program that keeps what they carry on."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
from dnnbench.protocol.evaluation import evaluate, inference, training
from dnnbench.protocol.program import PHASES, Program

from . import device, losses, ops, optimizers

CARRIED = (0, 1, 2, 3)
"""Arguments of `train_step` that it gives back changed, and that a compiled step takes the memory of."""


class JaxProgram(Program):
    """Weights, statistics and slots are arrays by name, committed to the device; a compiled step donates them.

    A DeviceBatch is (inputs by name, targets, masks by node). `forward`, `loss` and `gradients` draw what the next
    `train_step` will draw; only that step moves the generator on. A network that draws nothing carries no generator.
    Results hold "record" besides, what backpropagation would read, so that no compiler can leave it out.
    """

    def __init__(self, workload, weights, arm, seed):
        self._model, self._task, self._arm = workload.model, workload.task, arm
        self._device = device.resolve(arm.device)
        self._network = network = _Network(workload)
        compiled = jax.jit if arm.mode == "jit" else _as_it_is
        self._infer = compiled(network.infer)
        self._forward = compiled(network.forward)
        self._loss = compiled(network.loss)
        self._gradients = compiled(network.gradients)
        self._train_step = compiled(network.train_step, donate_argnums=CARRIED)
        self._update = compiled(network.update, donate_argnums=(0, 1))
        self._loss_alone = compiled(network.loss_alone)
        self._activations = compiled(network.activations)
        self._cotangents = compiled(network.cotangents)
        self._copy = jax.jit(_copy)
        draws = any(node.op.random for node in self._model.nodes)
        self._key = jax.device_put(jax.random.key(seed), self._device) if draws else None
        self.load(weights)

    def put(self, batch):
        as_type = {i.name: self._arm.dtype if i.dtype == "float" else i.dtype for i in self._model.inputs}
        inputs = {name: self._place(array, as_type[name]) for name, array in batch.inputs.items()}
        targets = self._place(batch.targets, self._arm.dtype if batch.targets.dtype.kind == "f" else "int32")
        masks = {name: self._place(mask, "bool") for name, mask in batch.masks.items()}
        return jax.block_until_ready((inputs, targets, masks))

    def infer(self, batch):
        return self._infer(self._weights, self._state, batch[0])

    def forward(self, batch):
        return self._forward(self._weights, self._state, self._key, batch)

    def loss(self, batch):
        return self._loss(self._weights, self._state, self._key, batch)

    def gradients(self, batch):
        return self._gradients(self._weights, self._state, self._key, batch)

    def train_step(self, batch):
        carried, result = self._train_step(self._weights, self._state, self._slots, self._key, batch)
        self._weights, self._state, self._slots, self._key = self._unfinished = carried
        return result

    def pieces(self, batch):
        stored = self.gradients(batch)
        output, found = stored["outputs"][self._model.outputs[0]], stored["gradients"]

        def update_alone():
            self._weights, self._slots = self._unfinished = self._update(self._weights, self._slots, found)
            return {}

        return {"loss_alone": lambda: {"loss": self._loss_alone(output, batch[1])}, "update_alone": update_alone}

    def wait(self, result):
        jax.block_until_ready(result)
        if self._unfinished is not None:
            jax.block_until_ready(self._unfinished)
            self._unfinished = None

    def get(self, result):
        flat = {}
        for group, value in result.items():
            if isinstance(value, dict):
                flat |= {f"{group}/{name}": np.array(array) for name, array in value.items()}
            elif group != "record":
                flat[group] = np.array(value)
        return flat

    def weights(self):
        return _to_host(self._weights)

    def optimizer_state(self):
        slots = {slot: optimizers.slot(self._slots, slot) for slot in self._task.optimizer.slots}
        return {f"{slot}/{name}": np.array(array) for slot, arrays in slots.items() for name, array in arrays.items()}

    def model_state(self):
        return _to_host(self._state)

    def load(self, weights):
        self._weights = {name: self._place(weights[name], self._arm.dtype) for name in self._model.parameters}
        self._state = {name: self._place(weights[name], self._arm.dtype) for name in self._model.state}
        self._slots = jax.device_put(self._network.optimizer.init(self._weights), self._device)
        jax.block_until_ready((self._weights, self._state, self._slots))
        self._unfinished = None

    def snapshot(self):
        return jax.block_until_ready(self._copy((self._weights, self._state, self._slots, self._key)))

    def restore(self, snapshot):
        self._weights, self._state, self._slots, self._key = jax.block_until_ready(self._copy(snapshot))
        self._unfinished = None

    def activations(self, batch):
        return _to_host(self._activations(self._weights, self._state, self._key, batch))

    def cotangents(self, batch):
        return _to_host(self._cotangents(self._weights, self._state, self._key, batch))

    def facts(self):
        half = self._place(np.finfo(self._arm.dtype).tiny, self._arm.dtype) / 2
        used = half.devices().pop()
        return {
            "device": f"{used.platform}:{used.id} ({used.device_kind})",
            "layout": "NHWC",
            "dtype": str(half.dtype),
            "donation": self._arm.mode == "jit",
            "matmul_precision": jax.config.jax_default_matmul_precision,
            "denormals": "kept" if float(half) > 0 else "flushed to zero",
            "generator": jax.config.jax_default_prng_impl if self._key is not None else "none",
            "xla_flags": os.environ.get("XLA_FLAGS", ""),
            "compilations": sum(map(self._compilations, PHASES)),
        }

    def peak_memory(self):
        return device.peak_memory(self._device)

    def close(self):
        self._weights = self._state = self._slots = {}
        self._key = self._unfinished = None

    def _place(self, array, dtype):
        """A committed copy on the device: `device_put` would go on reading the caller's memory."""
        return jnp.array(array, dtype, device=self._device)

    def _compilations(self, phase):
        """How often a phase was compiled: once for each batch size, or something is amiss."""
        return getattr(self, f"_{phase}")._cache_size() if self._arm.mode == "jit" else 0


class _Network:
    """A workload as pure functions of (weights, state, key, (inputs, targets, masks))."""

    def __init__(self, workload):
        self._model, self._loss_spec = workload.model, workload.task.loss
        self._score = getattr(losses, self._loss_spec.kind)
        self._predict = getattr(losses, self._loss_spec.prediction)
        self._index = {node.name: i for i, node in enumerate(self._model.nodes)}
        self.optimizer = getattr(optimizers, workload.task.optimizer.kind)(workload.task.optimizer)

    def infer(self, weights, state, inputs):
        outputs = self._outputs(evaluate(self._model, inputs, weights, state, inference(ops))[0])
        return {"outputs": outputs, "prediction": self._predict(outputs[self._model.outputs[0]])}

    def forward(self, weights, state, key, batch):
        def outputs_of(weights):
            values, new_state = self._train(weights, state, key, batch)
            return self._outputs(values), new_state

        outputs, backward, new_state = jax.vjp(outputs_of, weights, has_aux=True)
        return {"outputs": outputs, "state": new_state, "record": _record(backward, weights, batch)}

    def loss(self, weights, state, key, batch):
        loss, backward, (outputs, new_state) = jax.vjp(self._loss_of(state, key, batch), weights, has_aux=True)
        record = _record(backward, weights, batch)
        return {"outputs": outputs, "state": new_state, "loss": loss, "record": record}

    def gradients(self, weights, state, key, batch):
        differentiated = jax.value_and_grad(self._loss_of(state, key, batch), has_aux=True)
        (loss, (outputs, new_state)), found = differentiated(weights)
        return {"outputs": outputs, "state": new_state, "loss": loss, "gradients": found}

    def train_step(self, weights, state, slots, key, batch):
        result = self.gradients(weights, state, key, batch)
        weights, slots = self.update(weights, slots, result["gradients"])
        carried = weights, result["state"], slots, _split(key)[0]
        return carried, {"outputs": result["outputs"], "loss": result["loss"]}

    def update(self, weights, slots, found):
        changes, slots = self.optimizer.update(found, slots, weights)
        return optax.apply_updates(weights, changes), slots

    def loss_alone(self, output, targets):
        return self._score(self._loss_spec, output, targets)

    def activations(self, weights, state, key, batch):
        values, _ = self._train(weights, state, key, batch)
        return {name: values[name] for name in self._index}

    def cotangents(self, weights, state, key, batch):
        """Gradients with respect to zeros added to every node's value."""

        def probed(zeros):
            def shift(node, value):
                return value + zeros[node.name]

            return self._loss_of(state, key, batch, shift)(weights)[0]

        values = jax.eval_shape(self.activations, weights, state, key, batch)
        return jax.grad(probed)({name: jnp.zeros(value.shape, value.dtype) for name, value in values.items()})

    def _loss_of(self, state, key, batch, shift=None):
        """weights -> (loss, (outputs, new state))"""

        def loss_of(weights):
            values, new_state = self._train(weights, state, key, batch, shift)
            outputs = self._outputs(values)
            return self.loss_alone(outputs[self._model.outputs[0]], batch[1]), (outputs, new_state)

        return loss_of

    def _train(self, weights, state, key, batch, shift=None):
        inputs, _, masks = batch
        _, now = _split(key)
        apply = training(ops, masks, lambda node: jax.random.fold_in(now, self._index[node.name]))
        return evaluate(self._model, inputs, weights, state, apply if shift is None else _shifted(apply, shift))

    def _outputs(self, values):
        return {name: values[name] for name in self._model.outputs}


def _shifted(apply, shift):
    """As `apply`, with shift(node, value) in place of every value."""

    def shifted(node, *arguments):
        value, changed = apply(node, *arguments)
        return shift(node, value), changed

    return shifted


def _record(backward, *given):
    """What backpropagation would read, without what the caller holds already: returned, it would be copied."""
    held = {id(leaf) for leaf in jax.tree.leaves(given)}
    return [leaf for leaf in jax.tree.leaves(backward) if id(leaf) not in held]


def _split(key):
    """(key of the steps to come, key of this step)"""
    return (None, None) if key is None else tuple(jax.random.split(key))


def _as_it_is(function, **options):
    """What stands in for `jax.jit` op by op."""
    return function


def _copy(tree):
    return jax.tree.map(jnp.copy, tree)


def _to_host(arrays):
    return {name: np.array(array) for name, array in arrays.items()}
