"""A loop over the steps of a sequence."""

import tensorflow as tf


def scan(step, x, states):
    """(last states, first state after every step) of states = step(x_t, *states).

    x: (N, T, ...)   states: (N, H) each   returns: states, (T, N, H)
    A loop of T rounds, not T copies of its body: XLA takes twenty times as long to compile those.
    """
    length = x.shape[1]
    steps = _array(x.dtype, length, (x.shape[0], *x.shape[2:])).unstack(_swapped(x))
    kept = _array(x.dtype, length, states[0].shape)

    def body(t, kept, *states):
        states = step(steps.read(t), *states)
        return (t + 1, kept.write(t, states[0]), *states)

    start = (tf.constant(0), kept, *states)
    _, kept, *last = tf.while_loop(lambda t, *_: t < length, body, start, maximum_iterations=length)
    return last, kept.stack()


def _array(dtype, length, shape):
    return tf.TensorArray(dtype, length, element_shape=shape, clear_after_read=False)


def _swapped(x):
    """Batch and time exchanged."""
    return tf.transpose(x, (1, 0, *range(2, len(x.shape))))


def sequence_or_last(op, last, every):
    """What the op gives: (N, T, H), or (N, H)."""
    return _swapped(every) if op.sequences else last


def start(op, x, states, count):
    """The states that were brought, or zeros."""
    return states or (tf.zeros((x.shape[0], op.units), x.dtype),) * count
