"""The code of each loss, and of what the model predicts."""

from dnnbench.scripts.values import call


def cross_entropy(loss, z, labels):
    smoothing = loss.smoothing or None
    return call("cross_entropy", z, labels, smoothing=smoothing, ignored=loss.ignored)


def bce_with_logits(loss, z, targets):
    return call("bce_with_logits", z, targets)


def mse(loss, z, targets):
    return f"np.square({z} - {targets}).mean()"


def argmax(z):
    return f"{z}.argmax(axis=-1)"


def positive(z):
    return f"({z} > 0).astype(np.int64)"


def identity(z):
    return str(z)
