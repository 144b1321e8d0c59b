"""The steps of a sequence, one after the other."""

import tensorflow as tf

from .kernels import learns, under_xla, xla_on_cpu

MOST_UNROLLED = 64
"""Steps of which a graph holds each one: a loop takes longer for a step than its body, but a graph
of many steps takes long to make.
"""


def scan(step, projected, x, states):
    """(last states, first state after every step) of states = step(projected(x_t), *states).

    projected: what inputs bring to the gates, of one step or of all. XLA on a CPU infers a GRU in
    0.83 of the time where each step multiplies its own; gradients take longer so.
    x: (N, T, ...)   states: (N, H) each   returns: states, (N, T, H)
    """
    if xla_on_cpu() and not learns():
        return _looped(lambda x_t, *states: step(projected(x_t), *states), x, states)
    gates = projected(x)
    if under_xla() or x.shape[1] > MOST_UNROLLED:
        return _looped(step, gates, states)
    every = []
    for a in tf.unstack(gates, axis=1):
        states = step(a, *states)
        every.append(states[0])
    return states, tf.stack(every, axis=1)


def _looped(step, x, states):
    """A loop of T rounds, not T copies of its body: XLA takes twenty times as long to compile
    those.
    """
    length = x.shape[1]
    steps = _array(x.dtype, length, (x.shape[0], *x.shape[2:])).unstack(_swapped(x))
    kept = _array(x.dtype, length, states[0].shape)

    def body(t, kept, *states):
        states = step(steps.read(t), *states)
        return (t + 1, kept.write(t, states[0]), *states)

    start = (tf.constant(0), kept, *states)
    _, kept, *last = tf.while_loop(lambda t, *_: t < length, body, start, maximum_iterations=length)
    return last, _swapped(kept.stack())


def _array(dtype, length, shape):
    return tf.TensorArray(dtype, length, element_shape=shape, clear_after_read=False)


def _swapped(x):
    """Batch and time exchanged."""
    return tf.transpose(x, (1, 0, *range(2, len(x.shape))))


def sequence_or_last(op, last, every):
    """What the op gives: (N, T, H), or (N, H)."""
    return every if op.sequences else last


def start(op, x, states, count):
    """The states that were brought, or zeros."""
    return states or (tf.zeros((x.shape[0], op.units), x.dtype),) * count
