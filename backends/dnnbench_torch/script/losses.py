"""The code of each loss, and of what the model predicts."""

from dnnbench.scripts.values import call


def cross_entropy(loss, z, labels):
    rows, flat = (z, labels) if z.ndim in (2, 4) else (f"{z}.flatten(0, -2)", f"{labels}.flatten()")
    smoothing = loss.smoothing or None
    return call("F.cross_entropy", rows, flat, ignore_index=loss.ignored, label_smoothing=smoothing)


def bce_with_logits(loss, z, targets):
    return call("F.binary_cross_entropy_with_logits", z, targets)


def mse(loss, z, targets):
    return call("F.mse_loss", z, targets)


def argmax(z):
    return f"{z}.argmax({1 if z.ndim == 4 else -1})"


def positive(z):
    return f"({z} > 0).long()"


def identity(z):
    return str(z)
