"""The code of each loss, and of what the model predicts."""

from dnnbench.scripts.values import call


def cross_entropy(loss, z, labels):
    smoothing = loss.smoothing or None
    return call("cross_entropy", z, labels, smoothing=smoothing, ignored=loss.ignored)


def bce_with_logits(loss, z, targets):
    return f"optax.sigmoid_binary_cross_entropy({z}, {targets}).mean()"


def mse(loss, z, targets):
    return f"jnp.square({z} - {targets}).mean()"


def argmax(z):
    return f"{z}.argmax(axis=-1)"


def positive(z):
    return f"({z} > 0).astype(jnp.int32)"


def identity(z):
    return str(z)
