"""The value of each loss, as `dnnbench.spec.losses` defines it, and what the model predicts."""

import jax
import jax.numpy as jnp
import optax


def cross_entropy(loss, z, labels):
    counted = None if loss.ignored is None else labels != loss.ignored
    labels = labels if counted is None else jnp.where(counted, labels, 0)
    each = optax.softmax_cross_entropy_with_integer_labels(z, labels)
    if loss.smoothing:
        spread = jax.nn.logsumexp(z, axis=-1) - z.mean(axis=-1)
        each = (1 - loss.smoothing) * each + loss.smoothing * spread
    return each.mean(where=counted)


def bce_with_logits(loss, z, targets):
    return optax.sigmoid_binary_cross_entropy(z, targets).mean()


def mse(loss, z, targets):
    return jnp.square(z - targets).mean()


def argmax(z):
    return z.argmax(axis=-1)


def positive(z):
    return (z > 0).astype(jnp.int32)


def identity(z):
    return z
