"""A module of Flax NNX, taken apart for jax.jit as Flax's guide to speed has it, and Optax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from .flax_networks import NETWORKS
from .jax_side import JaxSide
from .jax_training import loss_of, made


class FlaxTwin(JaxSide):
    """A step takes and gives (weights, what else the module keeps, optimizer's state)."""

    def __init__(self, network, sizes, weights, task, options):
        net = NETWORKS[network](**sizes, rngs=nnx.Rngs(0))
        for name, variable, to_theirs, _ in _parts(net):
            variable.set_value(jnp.array(to_theirs(weights[name])))
        net.eval()
        at_rest = nnx.graphdef(net)
        net.train()
        at_work, trained, kept = nnx.split(net, nnx.Param, ...)
        optimizer = made(task.optimizer)

        def infer(weights, kept, inputs):
            logits = nnx.merge(at_rest, weights, kept)(**inputs)
            return logits, logits.argmax(-1)

        def score(weights, kept, inputs, labels):
            net = nnx.merge(at_work, weights, kept, copy=True)  # dropout counts its draws in it
            logits = net(**inputs)
            after = nnx.state(net, nnx.Not(nnx.Param))
            return loss_of(task.loss, logits, labels), (logits, after)

        def train(weights, kept, slots, inputs, labels):
            gradient = jax.value_and_grad(score, has_aux=True)
            (loss, (logits, kept)), g = gradient(weights, kept, inputs, labels)
            changes, slots = optimizer.update(g, slots, weights)
            return (optax.apply_updates(weights, changes), kept, slots), (logits, loss)

        self._net = net
        super().__init__(infer, train, (trained, kept, optimizer.init(trained)))

    def weights(self):
        """By dnnbench's names, in its axes."""
        nnx.update(self._net, self._copy(self._carried[0]))
        return {
            name: to_ours(np.array(variable[...]))
            for name, variable, _, to_ours in _parts(self._net)
        }


def _parts(net):
    """(dnnbench's name, variable, its axes there to these, the other way round)"""
    for path, module in nnx.iter_modules(net):
        yield from _of_module(_node(path), module)
    if hasattr(net, "bias"):
        yield "logits.bias", net.bias, _same, _same


def _node(path):
    """`layers 0 attention query` of a transformer is dnnbench's `layer0.query`."""
    names = [str(part) for part in path]
    match names:
        case ["layers", number, *inside]:
            below = [name for name in inside if name not in ("attention", "feed_forward")]
            return ".".join([f"layer{number}", *below]).replace(".out", ".projection")
        case ["hidden", number]:
            return f"fc{int(number) + 1}"
        case ["lstm", number, *inside]:
            return ".".join([f"lstm{number}", *inside])
    return ".".join(names)


def _of_module(node, module):
    match module:
        case nnx.OptimizedLSTMCell():
            layer = node.removesuffix(".cell")
            yield f"{layer}.weight", module.dense_i.kernel, _same, _same
            yield f"{layer}.recurrent", module.dense_h.kernel, _same, _same
            yield f"{layer}.bias", module.dense_h.bias, _same, _same
        case nnx.Linear() if node.endswith(("dense_i", "dense_h")):
            pass  # its cell has given them
        case nnx.Linear() | nnx.LinearGeneral():
            yield f"{node}.weight", module.kernel, *_reshaped(module.kernel, 2)
            yield f"{node}.bias", module.bias, *_reshaped(module.bias, 1)
        case nnx.LayerNorm():
            yield f"{node}.scale", module.scale, _same, _same
            yield f"{node}.bias", module.bias, _same, _same
        case nnx.Embed():
            yield f"{node}.weight", module.embedding, _same, _same


def _reshaped(variable, rank):
    """Attention has its heads as an axis of their own: (D, heads, d) and (heads, d, D)."""
    theirs = variable.shape
    if len(theirs) == rank:
        return _same, _same
    wide = int(np.sqrt(variable.size)) if rank == 2 else variable.size
    return lambda array: array.reshape(theirs), lambda array: array.reshape((wide,) * rank)


def _same(array):
    return array
