"""The value of each loss, as `dnnbench.spec.losses` defines it, and what the model predicts."""

import jax.numpy as jnp
import optax


def cross_entropy(loss, z, labels):
    return optax.softmax_cross_entropy_with_integer_labels(z, labels).mean()


def mse(loss, z, targets):
    return jnp.square(z - targets).mean()


def argmax(z):
    return z.argmax(axis=-1)


def identity(z):
    return z
