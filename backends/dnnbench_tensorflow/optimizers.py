"""One step of each optimizer, as `dnnbench.spec.optimizers` defines it:
changes the variables it is given.

parameters: variables by name
gradients: tensors by name
slots: variables by slot and name
t: variable that holds the number of steps taken before this one, kept where an optimizer
or its schedule needs it
"""

from math import pi

import tensorflow as tf


def sgd(optimizer, parameters, gradients, slots, t):
    rate = _rate(optimizer, t)
    for _, p, g in _prepared(optimizer, parameters, gradients):
        tf.raw_ops.ResourceApplyGradientDescent(var=p.handle, alpha=_like(p, rate), delta=g)


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
    for p, change in _adam_changes(optimizer, prepared, slots, rate, steps):
        p.assign_sub(change, read_value=False)


def adamw(optimizer, parameters, gradients, slots, t):
    steps = _counted(t)
    rate = _scheduled(optimizer, steps)
    kept = 1 - rate * optimizer.weight_decay
    clipped = _clipped(optimizer, parameters, gradients)
    for p, change in _adam_changes(optimizer, clipped, slots, rate, steps):
        p.assign(p * _like(p, kept) - change, read_value=False)


def _adam_changes(optimizer, gradients, slots, rate, steps):
    """(p, what Adam takes from it) for every parameter; moves the moments.

    Written out: ResourceApplyAdam forms 1 - beta2 in float32, 1.3e-5 off at 0.999,
    and adds eps-hat.
    """
    b1, b2 = optimizer.beta1, optimizer.beta2
    first = 1 - tf.pow(tf.constant(b1, tf.float64), steps)
    second = tf.sqrt(1 - tf.pow(tf.constant(b2, tf.float64), steps))
    for name, p, g in gradients:
        m, v = slots["first_moment"][name], slots["second_moment"][name]
        new_m = b1 * m + (1 - b1) * g
        new_v = b2 * v + (1 - b2) * tf.square(g)
        m.assign(new_m, read_value=False)
        v.assign(new_v, read_value=False)
        root = tf.sqrt(new_v) + _like(p, optimizer.epsilon * second)
        yield p, _like(p, rate * second / first) * new_m / root


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
        gradients = {name: g * factor for name, g in gradients.items()}
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
