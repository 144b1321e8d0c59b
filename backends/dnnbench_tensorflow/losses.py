"""The value of each loss, as `dnnbench.spec.losses` defines it, and what the model predicts."""

import tensorflow as tf


def cross_entropy(loss, z, labels):
    each = _smoothed(loss, z, labels) if loss.smoothing else _plain(loss, z, labels)
    if loss.ignored is None:
        return tf.reduce_mean(each)
    counts = tf.cast(labels != loss.ignored, z.dtype)
    return tf.reduce_sum(each * counts) / tf.reduce_sum(counts)


def _plain(loss, z, labels):
    """Any class stands in for a label that does not count:
    TensorFlow gives NaN for one out of range.
    """
    in_range = labels if loss.ignored is None else tf.maximum(labels, 0)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(in_range, z)


def _smoothed(loss, z, labels):
    classes = z.shape[-1]
    off = loss.smoothing / classes
    on_value = tf.constant(1 - loss.smoothing + off, z.dtype)
    off_value = tf.constant(off, z.dtype)
    q = tf.one_hot(labels, classes, on_value, off_value)  # (N, ..., K)
    return tf.nn.softmax_cross_entropy_with_logits(q, z)


def bce_with_logits(loss, z, targets):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, z))


def mse(loss, z, targets):
    return tf.reduce_mean(tf.math.squared_difference(z, targets))


def argmax(z):
    return tf.argmax(z, axis=-1)


def positive(z):
    return tf.cast(z > 0, tf.int64)


def identity(z):
    return z
