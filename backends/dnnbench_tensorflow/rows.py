"""Gradients of tables that hold the rows of a batch alone, where a step leaves all others."""

import tensorflow as tf

from .kernels import under_xla


def for_step(optimizer, gradients):
    """Each gradient as one step needs it.

    Every optimizer but plain descent moves the rows that no example had, too, and XLA wants to
    know how many rows there are.
    """
    few = optimizer.kind == "sgd" and not optimizer.weight_decay and not under_xla()
    return {
        name: summed(g) if few and isinstance(g, tf.IndexedSlices) else dense(g)
        for name, g in gradients.items()
    }


def dense(gradient):
    """An array of all rows."""
    return tf.convert_to_tensor(gradient)


def summed(gradient):
    """Each row once: a norm of several terms of one row would not be the gradient's."""
    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def scaled(gradient, factor):
    """The gradient times a number, in its own form."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient * factor
    return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)


def numbers_of(gradient):
    """The numbers that it holds, as an array."""
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
