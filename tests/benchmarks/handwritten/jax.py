"""The digits networks in JAX: pure functions, jax.jit with donated weights, Optax."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

OPTIMIZER = optax.sgd(0.05, momentum=0.9)


def dense(x, w, b):
    return x @ w + b


def block(x, w, b):
    y = lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return lax.reduce_window(
        jax.nn.relu(y + b), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"
    )


def mlp(w, x):
    x = jax.nn.relu(dense(x, w["fc1.weight"], w["fc1.bias"]))
    x = jax.nn.relu(dense(x, w["fc2.weight"], w["fc2.bias"]))
    return dense(x, w["logits.weight"], w["logits.bias"])


def cnn(w, x):
    x = block(x, w["conv1.weight"], w["conv1.bias"])
    x = block(x, w["conv2.weight"], w["conv2.bias"])
    x = jax.nn.relu(dense(x.reshape(len(x), -1), w["fc1.weight"], w["fc1.bias"]))
    return dense(x, w["logits.weight"], w["logits.bias"])


NETWORKS = {"mlp_digits": mlp, "cnn_digits": cnn}


def score(net, w, x, y):
    z = net(w, x)
    return optax.softmax_cross_entropy_with_integer_labels(z, y).mean(), z


def infer(net, w, x):
    z = net(w, x)
    return z, z.argmax(axis=-1)


def forward(net, w, x):
    z, backward = jax.vjp(lambda w: net(w, x), w)
    return z, record(backward, w, x)


def loss(net, w, x, y):
    value, backward, z = jax.vjp(lambda w: score(net, w, x, y), w, has_aux=True)
    return z, value, record(backward, w, x, y)


def record(backward, *given):
    """What backpropagation would read, less what the caller has already:
    unless returned, the compiler drops it.
    """
    held = {id(leaf) for leaf in jax.tree.leaves(given)}
    return [leaf for leaf in jax.tree.leaves(backward) if id(leaf) not in held]


def gradients(net, w, x, y):
    (value, z), found = jax.value_and_grad(partial(score, net), has_aux=True)(w, x, y)
    return z, value, found


def train_step(net, w, slots, x, y):
    z, value, found = gradients(net, w, x, y)
    changes, slots = OPTIMIZER.update(found, slots, w)
    return optax.apply_updates(w, changes), slots, z, value


class Trainer:
    """A network's weights and optimizer state, which a compiled step donates."""

    def __init__(self, network, mode, weights):
        jit = jax.jit if mode == "jit" else lambda function, **options: function
        net = NETWORKS[network]
        self._infer, self._forward, self._loss, self._gradients = (
            jit(partial(f, net)) for f in (infer, forward, loss, gradients)
        )
        self._train_step = jit(partial(train_step, net), donate_argnums=(0, 1))
        self._copy = jax.jit(partial(jax.tree.map, jnp.copy))
        weights = {name: jnp.array(array) for name, array in weights.items()}
        self._first = weights, OPTIMIZER.init(weights)
        self.restart()

    def restart(self):
        self._weights, self._slots = jax.block_until_ready(self._copy(self._first))

    def phases(self, images, labels):
        x, y = jnp.array(images), jnp.array(labels, jnp.int32)
        wait = jax.block_until_ready
        return {
            "infer": lambda: wait(self._infer(self._weights, x)),
            "forward": lambda: wait(self._forward(self._weights, x)),
            "loss": lambda: wait(self._loss(self._weights, x, y)),
            "gradients": lambda: wait(self._gradients(self._weights, x, y)),
            "train_step": lambda: self.train_step(x, y),
        }

    def train_step(self, x, y):
        done = jax.block_until_ready(self._train_step(self._weights, self._slots, x, y))
        self._weights, self._slots, z, value = done
        return z, value

    def weights(self):
        return {name: np.array(array) for name, array in self._weights.items()}

    def gradients_in(self, result):
        return {name: np.array(array) for name, array in result[2].items()}
