"""A workload as pure functions, which run as they are or are compiled."""

import jax
import jax.numpy as jnp
import optax
from dnnbench.protocol.evaluation import evaluate, inference, outputs, training
from dnnbench.protocol.precision import LOSS_SCALE, cast_around

from . import losses, ops, optimizers


class Network:
    """A workload as pure functions of (weights, state, key, (inputs, targets, masks)),
    tuples in the order of `names`.
    """

    def __init__(self, workload, precision, around=lambda apply: apply):
        """around: what stands around the computation of each node."""
        self._around = around
        self._model = workload.model
        self._loss_spec = workload.task.loss
        self._precision = precision
        self._score = getattr(losses, self._loss_spec.kind)
        self._predict = getattr(losses, self._loss_spec.prediction)
        self._index = {node.name: i for i, node in enumerate(self._model.nodes)}
        optimizer = workload.task.optimizer
        self.optimizer = getattr(optimizers, optimizer.kind)(optimizer)
        self.names = {
            "inputs": tuple(i.name for i in self._model.inputs),
            "weights": tuple(self._model.parameters),
            "gradients": tuple(self._model.parameters),
            "state": tuple(self._model.state),
            "nodes": tuple(self._index),
            "outputs": self._model.outputs,
        }

    def infer(self, weights, state, inputs):
        named = self._named_arguments(inputs, weights, state)
        values = outputs(self._model, *named, self._cast_around(inference(ops)))
        prediction = self._predict(values[self._model.outputs[0]])
        return {"outputs": self._in_order("outputs", values), "prediction": prediction}

    def forward(self, weights, state, key, batch):
        def outputs_of(weights):
            values, new_state = self._train(weights, state, key, batch)
            return self._in_order("outputs", values), self._in_order("state", new_state)

        results, backward, new_state = jax.vjp(outputs_of, weights, has_aux=True)
        return {"outputs": results, "state": new_state, "record": _record(backward, weights, batch)}

    def loss(self, weights, state, key, batch):
        _, backward, result = jax.vjp(self._loss_of(state, key, batch), weights, has_aux=True)
        return result | {"record": _record(backward, weights, batch)}

    def gradients(self, weights, state, key, batch):
        scaled, result = jax.grad(self._loss_of(state, key, batch), has_aux=True)(weights)
        return result | {"gradients": self._unscaled(scaled)}

    def train_step(self, weights, state, slots, key, batch):
        result = self.gradients(weights, state, key, batch)
        weights, slots = self.update(weights, slots, result["gradients"])
        carried = weights, result["state"], slots, _split(key)[0]
        return carried, {"outputs": result["outputs"], "loss": result["loss"]}

    def update(self, weights, slots, gradients):
        changes, moved = self.optimizer.update(gradients, slots, weights)
        after = optax.apply_updates(weights, changes), moved
        return _if_finite(gradients, after, (weights, slots)) if self._precision.scaled else after

    def loss_alone(self, output, targets):
        return self._score(self._loss_spec, output.astype(self._precision.weights), targets)

    def activations(self, weights, state, key, batch):
        values, _ = self._train(weights, state, key, batch)
        return self._in_order("nodes", values)

    def cotangents(self, weights, state, key, batch):
        """Gradients with respect to zeros added to every node's value."""

        def probed(zeros):
            def shift(node, value):
                return value + zeros[self._index[node.name]]

            return self._loss_of(state, key, batch, shift)(weights)[0]

        values = jax.eval_shape(self.activations, weights, state, key, batch)
        zeros = tuple(jnp.zeros(value.shape, value.dtype) for value in values)
        return self._unscaled(jax.grad(probed)(zeros))

    def named(self, group, arrays):
        """A group's arrays by name."""
        return dict(zip(self.names[group], arrays, strict=True))

    def _loss_of(self, state, key, batch, shift=None):
        """weights -> (the loss to differentiate, result of phase `loss`)"""

        def loss_of(weights):
            values, new_state = self._train(weights, state, key, batch, shift)
            loss = self.loss_alone(values[self._model.outputs[0]], batch[1])
            result = {
                "outputs": self._in_order("outputs", values),
                "state": self._in_order("state", new_state),
            }
            lifted = loss * LOSS_SCALE if self._precision.scaled else loss
            return lifted, result | {"loss": loss}

        return loss_of

    def _unscaled(self, gradients):
        if not self._precision.scaled:
            return gradients
        return tuple(g.astype(self._precision.weights) / LOSS_SCALE for g in gradients)

    def _train(self, weights, state, key, batch, shift=None):
        inputs, _, masks = batch
        _, now = _split(key)
        apply = training(ops, masks, lambda node: jax.random.fold_in(now, self._index[node.name]))
        apply = self._cast_around(apply)
        if shift is not None:
            apply = _shifted(apply, shift)
        return evaluate(self._model, *self._named_arguments(inputs, weights, state), apply)

    def _named_arguments(self, inputs, weights, state):
        """What `evaluate` and `outputs` read, by name."""
        return (
            self.named("inputs", inputs),
            self.named("weights", weights),
            self.named("state", state),
        )

    def _cast_around(self, apply):
        cast = cast_around(self._model, apply, self._precision, lambda x, dtype: x.astype(dtype))
        return self._around(cast)

    def _in_order(self, group, values):
        return tuple(values[name] for name in self.names[group])


def _shifted(apply, shift):
    """As `apply`, with shift(node, value) in place of every value."""

    def shifted(node, *arguments):
        value, changed = apply(node, *arguments)
        return shift(node, value), changed

    return shifted


def _record(backward, *arguments):
    """What backpropagation would read, without what the caller holds already:
    returned, it would be copied.
    """
    held = {id(leaf) for leaf in jax.tree.leaves(arguments)}
    return [leaf for leaf in jax.tree.leaves(backward) if id(leaf) not in held]


def _if_finite(gradients, after, before):
    """`after` where every gradient is a number, else `before`, whole."""
    finite = jnp.all(jnp.stack([jnp.isfinite(g).all() for g in gradients]))
    return jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, before)


def _split(key):
    """(key of the steps to come, key of this step)"""
    return (None, None) if key is None else tuple(jax.random.split(key))
