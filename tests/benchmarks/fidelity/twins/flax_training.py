"""A module of flax.linen in jax.jit, whose train state a step donates, and Optax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.core import unfreeze
from flax.traverse_util import flatten_dict, unflatten_dict

from .flax_networks import NETWORKS
from .jax_training import loss_of, made


class FlaxTwin:
    """A step takes and gives (parameters, running statistics, optimizer's state, key)."""

    def __init__(self, network, sizes, weights, task, options):
        self._module, self._weights = NETWORKS[network](**sizes), weights
        self._optimizer, self._task = made(task.optimizer), task
        self._infer = jax.jit(self._outputs)
        self._train = jax.jit(self._step, donate_argnums=(0, 1, 2, 3))
        self._copy = jax.jit(lambda tree: jax.tree.map(jnp.copy, tree))
        self._first = None

    def put(self, batch):
        """Ids and labels as int32; the first weights take their places here."""
        inputs = {name: jnp.array(array) for name, array in batch.inputs.items()}
        if self._first is None:
            kinds = jax.eval_shape(lambda: self._module.init(jax.random.key(0), inputs, False))
            paths = flatten_dict(unfreeze(kinds))
            self._parts = {path: _part(path[1:]) for path in paths}
            leaves = {path: self._leaf(path, kind.shape) for path, kind in paths.items()}
            tree = unflatten_dict(leaves)
            params, state = tree["params"], tree.get("batch_stats", {})
            self._first = params, state, self._optimizer.init(params), jax.random.key(0)
            self._carried = self._copy(self._first)
        return inputs, jnp.array(batch.targets)

    def begin(self, phase):
        """The first weights again."""
        if phase == "train_step":
            self._carried = jax.block_until_ready(self._copy(self._first))

    def infer(self, placed):
        return self._infer(*self._carried[:2], placed[0])

    def train_step(self, placed):
        self._carried, result = self._train(*self._carried, *placed)
        return result

    def wait(self, result):
        """What a step gives is ready all at once."""
        jax.block_until_ready(result)

    def read(self, phase, result):
        """Arrays by what they are."""
        second = "prediction" if phase == "infer" else "loss"
        return {"outputs": np.array(result[0]), second: np.array(result[1])}

    def weights(self):
        """By dnnbench's names, in its axes."""
        params, state, *_ = self._carried
        leaves = flatten_dict({"params": params, "batch_stats": state})
        pieces = {}
        for path, leaf in leaves.items():
            name, place, _ = self._parts[path]
            pieces.setdefault(name, {})[place] = np.array(leaf)
        return {name: self._joined(name, parts) for name, parts in pieces.items()}

    def _outputs(self, params, state, inputs):
        logits = self._module.apply({"params": params, "batch_stats": state}, inputs, False)
        return logits, logits.argmax(-1)

    def _step(self, params, state, slots, key, inputs, labels):
        key, now = jax.random.split(key)

        def score(params):
            variables = {"params": params, "batch_stats": state}
            logits, moved = self._module.apply(
                variables, inputs, True, mutable=["batch_stats"], rngs={"dropout": now}
            )
            return loss_of(self._task.loss, logits, labels), (logits, moved)

        (loss, (logits, moved)), gradients = jax.value_and_grad(score, has_aux=True)(params)
        changes, slots = self._optimizer.update(gradients, slots, params)
        params = optax.apply_updates(params, changes)
        return (params, moved.get("batch_stats", state), slots, key), (logits, loss)

    def _leaf(self, path, shape):
        name, place, count = self._parts[path]
        return jnp.array(np.split(self._weights[name], count, -1)[place].reshape(shape))

    def _joined(self, name, parts):
        """One array of the gates that flax keeps apart."""
        last = self._weights[name].shape[-1] // len(parts)
        rows = [parts[place].reshape(*self._weights[name].shape[:-1], last)
                for place in sorted(parts)]  # fmt: skip
        return np.concatenate(rows, -1)


ROLES = {"kernel": "weight", "embedding": "weight", "var": "variance"}
LSTM = {gate: place for place, gate in enumerate("ifgo")}
GRU = {gate: place for place, gate in enumerate("zrn")}


def _part(path):
    """(dnnbench's name, which of its parts along the last axis, of how many)"""
    *nodes, last = path
    if nodes and len(nodes[-1]) == 2 and nodes[-1][0] in "ih":
        return _gate(".".join(nodes[:-1]), *nodes[-1], last)
    node = ".".join(nodes).replace(".attention.out", ".projection").replace(".attention.", ".")
    name = ".".join(filter(None, [node.removesuffix(".conv"), ROLES.get(last, last)]))
    return name, 0, 1


def _gate(node, side, gate, last):
    """flax's `hf` of an LSTM is the recurrent part of its forget gate."""
    gates = GRU if gate in GRU else LSTM
    place, count = gates[gate], len(gates)
    if last == "kernel":
        return f"{node}.{'weight' if side == 'i' else 'recurrent'}", place, count
    if (side, gate) == ("h", "n"):
        return f"{node}.hidden_bias", 0, 1
    return f"{node}.bias", place, count
