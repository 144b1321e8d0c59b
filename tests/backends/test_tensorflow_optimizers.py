"""What TensorFlow's kernel of Adam is told."""

import numpy as np
import pytest
from dnnbench.spec.optimizers import Adam
from helpers.in_this_process import TENSORFLOW

pytestmark = [TENSORFLOW, pytest.mark.slow]


def stepped(optimizer, gradients, dtype):
    """(weight, moments as the spec has them) after a step for each gradient, from 1 and zeros."""
    import tensorflow as tf
    from dnnbench_tensorflow import optimizers

    p, t = tf.Variable([1.0], dtype=dtype), tf.Variable(0, dtype=tf.int64)
    slots = {s: {"p": tf.Variable([0.0], dtype=dtype)} for s in optimizer.slots}
    for g in gradients:
        optimizers.adam(optimizer, {"p": p}, {"p": tf.constant([g], dtype)}, slots, t)
    scales = {s: optimizers.slot_scale(optimizer, s, dtype) for s in slots}
    return p.numpy()[0], {s: slots[s]["p"].numpy()[0] * scales[s] for s in slots}


def by_formula(optimizer, gradients):
    """The spec's formula in Python's own numbers."""
    p, m, v = 1.0, 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        m = optimizer.beta1 * m + (1 - optimizer.beta1) * g
        v = optimizer.beta2 * v + (1 - optimizer.beta2) * g * g
        m_hat, v_hat = m / (1 - optimizer.beta1**t), v / (1 - optimizer.beta2**t)
        p -= optimizer.learning_rate * m_hat / (v_hat**0.5 + optimizer.epsilon)
    return p, {"first_moment": m, "second_moment": v}


@pytest.mark.parametrize("beta2", (0.0, 0.95, 0.999, 1 - 1e-6, 1 - 1e-9))
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_adam_is_the_formula_whatever_the_type_makes_of_beta(dtype, beta2):
    """float32 has 1 - 0.999 1.3e-5 off, and 1 - 1e-9 as 1; epsilon is felt beside 1e-3."""
    optimizer = Adam(learning_rate=0.5, beta2=beta2, epsilon=1e-4)
    gradients = (3e-3, -1e-3, 2e-3)
    p, moments = stepped(optimizer, gradients, dtype)
    wanted, wanted_moments = by_formula(optimizer, gradients)
    rounding = 8 * np.finfo(dtype).eps
    assert p == pytest.approx(wanted, abs=rounding)  # of the 1 that it began at
    assert moments == pytest.approx(wanted_moments, rel=rounding)
