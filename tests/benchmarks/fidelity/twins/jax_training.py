"""Pure functions in jax.jit, whose weights and optimizer's state a step donates, and Optax."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .jax_networks import NETWORKS, RATES, Net
from .jax_side import JaxSide

KEPT = (".mean", ".variance")


class JaxTwin(JaxSide):
    """A step takes and gives (weights, running statistics, optimizer's state, key)."""

    def __init__(self, network, sizes, weights, task, options):
        rate = sizes.get("dropout", RATES.get(network, 0.0))
        sizes = {name: size for name, size in sizes.items() if name != "dropout"}
        net = partial(NETWORKS[network], **sizes)
        optimizer = made(task.optimizer)

        def infer(weights, state, inputs):
            logits = net(Net(weights | state, None), inputs)
            return logits, logits.argmax(-1)

        def score(weights, state, key, inputs, labels):
            at = Net(weights | state, key, rate)
            logits = net(at, inputs)
            return loss_of(task.loss, logits, labels), (logits, at.moved)

        def train(weights, state, slots, key, inputs, labels):
            key, now = jax.random.split(key)
            gradient = jax.value_and_grad(score, has_aux=True)
            (loss, (logits, moved)), g = gradient(weights, state, now, inputs, labels)
            changes, slots = optimizer.update(g, slots, weights)
            weights = optax.apply_updates(weights, changes)
            return (weights, state | moved, slots, key), (logits, loss)

        arrays = {name: jnp.array(array) for name, array in weights.items()}
        state = {name: array for name, array in arrays.items() if name.endswith(KEPT)}
        trained = {name: array for name, array in arrays.items() if name not in state}
        super().__init__(infer, train, (trained, state, optimizer.init(trained), jax.random.key(0)))

    def weights(self):
        """By dnnbench's names, in its axes."""
        weights, state, *_ = self._carried
        return {name: np.array(array) for name, array in (weights | state).items()}


def loss_of(loss, logits, labels):
    """Mean cross-entropy of the labels that count."""
    if loss.ignored is None:
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
    counted = labels != loss.ignored
    kept = jnp.where(counted, labels, 0)
    return optax.softmax_cross_entropy_with_integer_labels(logits, kept).mean(where=counted)


def made(spec):
    """Optax's optimizer of a task."""
    match spec.kind:
        case "momentum":
            update = optax.sgd(spec.learning_rate, spec.momentum)
        case "sgd":
            update = optax.sgd(spec.learning_rate)
        case "adam":
            update = optax.adam(spec.learning_rate, spec.beta1, spec.beta2, spec.epsilon)
        case "adamw":
            update = optax.adamw(spec.learning_rate, spec.beta1, spec.beta2, spec.epsilon,
                                 weight_decay=spec.weight_decay)  # fmt: skip
    if spec.weight_decay and spec.kind != "adamw":
        update = optax.chain(optax.add_decayed_weights(spec.weight_decay), update)
    return (
        optax.chain(optax.clip_by_global_norm(spec.clip_norm), update) if spec.clip_norm else update
    )
