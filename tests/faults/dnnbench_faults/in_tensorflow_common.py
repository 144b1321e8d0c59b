"""Common faults in the TensorFlow backend."""

import tensorflow as tf

from .planting import replaces


@replaces("ops.matmul")
def matmul_products_of_8_bits(honest):
    def coarse(x):
        return tf.cast(tf.cast(x, tf.bfloat16), x.dtype)

    return lambda op, a, b: honest(op, coarse(a), coarse(b))


@replaces("ops.group_norm")
def group_norm_bias_left_out(honest):
    return lambda op, x, scale, bias: honest(op, x, scale, tf.zeros_like(bias))
