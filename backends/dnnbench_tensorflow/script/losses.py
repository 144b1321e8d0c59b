"""The code of each loss, and of what the model predicts."""

from dnnbench.scripts.values import call


def cross_entropy(loss, z, labels):
    smoothing = loss.smoothing or None
    return call("cross_entropy", z, labels, smoothing=smoothing, ignored=loss.ignored)


def bce_with_logits(loss, z, targets):
    return f"tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits({targets}, {z}))"


def mse(loss, z, targets):
    return f"tf.reduce_mean(tf.math.squared_difference({z}, {targets}))"


def argmax(z):
    return f"tf.argmax({z}, -1)"


def positive(z):
    return f"tf.cast({z} > 0, tf.int64)"


def identity(z):
    return str(z)
