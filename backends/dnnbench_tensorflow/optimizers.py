"""One step of each optimizer, as `dnnbench.spec.optimizers` defines it:
changes the variables it is given.

parameters: variables by name
gradients: tensors by name; for plain descent perhaps the rows of a table alone (see `rows`)
slots: variables by slot and name
t: variable that holds the number of steps taken before this one, kept where an optimizer
or its schedule needs it
"""

from math import pi

import numpy as np
import tensorflow as tf

from .rows import scaled


def sgd(optimizer, parameters, gradients, slots, t):
    rate = _rate(optimizer, t)
    for _, p, g in _prepared(optimizer, parameters, gradients):
        alpha = _like(p, rate)
        if isinstance(g, tf.IndexedSlices):
            p.scatter_sub(scaled(g, alpha))
        else:
            tf.raw_ops.ResourceApplyGradientDescent(var=p.handle, alpha=alpha, delta=g)


def momentum(optimizer, parameters, gradients, slots, t):
    _move_along_velocity(optimizer, parameters, gradients, slots, t, use_nesterov=False)


def nesterov(optimizer, parameters, gradients, slots, t):
    _move_along_velocity(optimizer, parameters, gradients, slots, t, use_nesterov=True)


def _move_along_velocity(optimizer, parameters, gradients, slots, t, use_nesterov):
    rate = _rate(optimizer, t)
    for name, p, g in _prepared(optimizer, parameters, gradients):
        b = slots["velocity"][name]
        lr, mu = _like(p, rate), _like(p, optimizer.momentum)
        tf.raw_ops.ResourceApplyMomentum(
            var=p.handle, accum=b.handle, lr=lr, grad=g, momentum=mu, use_nesterov=use_nesterov
        )


def rmsprop(optimizer, parameters, gradients, slots, t):
    """Written out: ResourceApplyRMSProp has epsilon inside the root."""
    rate = _rate(optimizer, t)
    for name, p, g in _prepared(optimizer, parameters, gradients):
        v = slots["mean_square"][name]
        new_v = optimizer.decay * v + (1 - optimizer.decay) * tf.square(g)
        v.assign(new_v, read_value=False)
        p.assign_sub(_like(p, rate) * g / (tf.sqrt(new_v) + optimizer.epsilon), read_value=False)


def adam(optimizer, parameters, gradients, slots, t):
    steps = _counted(t)
    rate = _scheduled(optimizer, steps)
    prepared = _prepared(optimizer, parameters, gradients)
    _move_by_moments(optimizer, prepared, slots, rate, steps)


def adamw(optimizer, parameters, gradients, slots, t):
    steps = _counted(t)
    rate = _scheduled(optimizer, steps)
    kept = 1 - rate * optimizer.weight_decay
    clipped = _clipped(optimizer, parameters, gradients)
    if optimizer.weight_decay:
        for _, p, _ in clipped:
            p.assign(p * _like(p, kept), read_value=False)
    _move_by_moments(optimizer, clipped, slots, rate, steps)


def _move_by_moments(optimizer, gradients, slots, rate, steps):
    """Adam's step by TensorFlow's own kernel, whose constants are tensors of the weights' type.

    It is told a rate and an epsilon that hold the corrections of the moments, formed in float64;
    its own would be formed in float32. 1 - beta2 of float32's nearest beta2 is 1.3e-5 off:
    the corrections are of that beta2 as well.
    """
    for name, p, g in gradients:
        b1, b2 = (_held(p.dtype, beta) for beta in (optimizer.beta1, optimizer.beta2))
        first = 1 - tf.pow(tf.constant(b1, tf.float64), steps)
        second = tf.sqrt(1 - tf.pow(tf.constant(b2, tf.float64), steps))
        m, v = slots["first_moment"][name], slots["second_moment"][name]
        tf.raw_ops.ResourceApplyAdam(
            var=p.handle,
            m=m.handle,
            v=v.handle,
            beta1_power=_like(p, 0.0),
            beta2_power=_like(p, 0.0),
            lr=_like(p, rate * second / first),
            beta1=_like(p, b1),
            beta2=_like(p, b2),
            epsilon=_like(p, optimizer.epsilon * second),
            grad=g,
        )


def slot_scale(optimizer, slot, dtype):
    """What a slot is multiplied by to be the spec's: the kernel adds with 1 - beta of the beta
    that the weights' type holds.
    """
    betas = {"first_moment": "beta1", "second_moment": "beta2"}
    if slot not in betas:
        return 1.0
    beta = getattr(optimizer, betas[slot])
    return (1 - beta) / (1 - _held(tf.as_dtype(dtype), beta))


def _held(dtype, beta):
    """The number below 1 that this type has nearest to beta."""
    kind = dtype.as_numpy_dtype
    return float(min(kind(beta), np.nextafter(kind(1), kind(0))))


def _prepared(optimizer, parameters, gradients):
    """(name, p, g) of every parameter, clipped, then decayed."""
    for name, p, g in _clipped(optimizer, parameters, gradients):
        decayed = g + optimizer.weight_decay * p if optimizer.weight_decay else g
        yield name, p, decayed


def _clipped(optimizer, parameters, gradients):
    limit = optimizer.clip_norm
    if limit is not None:
        norm = tf.linalg.global_norm(list(gradients.values()))
        factor = limit / tf.maximum(norm, limit)
        gradients = {name: scaled(g, factor) for name, g in gradients.items()}
    return [(name, p, gradients[name]) for name, p in parameters.items()]


def _rate(optimizer, t):
    """Learning rate of this step; only a schedule counts steps."""
    if not optimizer.schedule:
        return optimizer.learning_rate
    return _scheduled(optimizer, _counted(t))


def _counted(t):
    """This step's number, from 1."""
    return tf.cast(t.assign_add(1), tf.float64)


def _scheduled(optimizer, steps):
    """`optimizer.rate` of a step that is known on the device alone."""
    plan = optimizer.schedule
    if plan is None:
        return tf.constant(optimizer.learning_rate, tf.float64)
    share = tf.minimum((steps - plan.warmup) / max(plan.steps - plan.warmup, 1), 1)
    falling = plan.floor + (1 - plan.floor) * (1 + tf.cos(pi * share)) / 2
    rising = steps / max(plan.warmup, 1)
    return optimizer.learning_rate * tf.where(steps <= plan.warmup, rising, falling)


def _like(p, value):
    """A number in the parameter's type.

    One that is known beforehand goes there straight, never through float32.
    """
    return tf.cast(value, p.dtype) if tf.is_tensor(value) else tf.constant(value, p.dtype)
