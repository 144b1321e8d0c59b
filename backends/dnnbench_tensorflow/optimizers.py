"""One step of each optimizer, as `dnnbench.spec.optimizers` defines it: changes the variables it is given.

parameters: variables by name   gradients: tensors by name   slots: variables by slot and name
t: variable that holds the number of steps taken before this one, kept by an optimizer that needs it
"""

import tensorflow as tf


def sgd(optimizer, parameters, gradients, slots, t):
    (rate,) = _constants(parameters, optimizer.learning_rate)
    for name, p in parameters.items():
        tf.raw_ops.ResourceApplyGradientDescent(var=p.handle, alpha=rate, delta=gradients[name])


def momentum(optimizer, parameters, gradients, slots, t):
    rate, mu = _constants(parameters, optimizer.learning_rate, optimizer.momentum)
    for name, p in parameters.items():
        b, g = slots["velocity"][name], gradients[name]
        tf.raw_ops.ResourceApplyMomentum(var=p.handle, accum=b.handle, lr=rate, grad=g, momentum=mu)


def adam(optimizer, parameters, gradients, slots, t):
    """Written out: ResourceApplyAdam forms 1 - beta2 in float32, 1.3e-5 off at 0.999, and adds eps-hat."""
    b1, b2 = optimizer.beta1, optimizer.beta2
    rate, epsilon = _corrected(optimizer, t.assign_add(1))
    for name, p in parameters.items():
        m, v, g = slots["first_moment"][name], slots["second_moment"][name], gradients[name]
        new_m, new_v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * tf.square(g)
        m.assign(new_m, read_value=False)
        v.assign(new_v, read_value=False)
        change = tf.cast(rate, p.dtype) * new_m / (tf.sqrt(new_v) + tf.cast(epsilon, p.dtype))
        p.assign_sub(change, read_value=False)


def _constants(parameters, *values):
    """In the parameters' type from the start, never through float32."""
    dtype = next((p.dtype for p in parameters.values()), tf.float32)
    return [tf.constant(value, dtype) for value in values]


def _corrected(optimizer, t):
    """(rate, epsilon) with which p -= rate m / (sqrt(v) + epsilon) is the step with both bias corrections."""
    steps = tf.cast(t, tf.float64)
    first = 1 - tf.pow(tf.constant(optimizer.beta1, tf.float64), steps)
    second = tf.sqrt(1 - tf.pow(tf.constant(optimizer.beta2, tf.float64), steps))
    return optimizer.learning_rate * second / first, optimizer.epsilon * second
