"""Faults in the TensorFlow backend that show where numbers are far from 1, or many."""

import tensorflow as tf

from .planting import replaces


@replaces("ops.softmax")
def softmax_of_the_mean(honest):
    """The mean is taken away, where the maximum should be."""

    def fault(op, x):
        e = tf.exp(x - tf.reduce_mean(x, -1, keepdims=True))
        return e / tf.reduce_sum(e, -1, keepdims=True)

    return fault


@replaces("losses.cross_entropy")
def cross_entropy_adds_a_tiny_number(honest):
    """So that no logarithm is infinite."""

    def fault(loss, z, labels):
        at_label = tf.gather(tf.nn.softmax(z), labels, batch_dims=len(labels.shape))
        return tf.reduce_mean(-tf.math.log(at_label + 1e-300))

    return fault


@replaces("ops.embedding")
def embedding_ids_in_bfloat16(honest):
    """Whole numbers are exact up to 256 there."""

    def fault(op, ids, weight):
        rounded = tf.cast(tf.cast(ids, tf.bfloat16), tf.int32)
        return honest(op, tf.minimum(rounded, op.vocabulary - 1), weight)

    return fault


@replaces("ops.attention")
def attention_sees_128_keys(honest):
    def fault(op, q, k, v, mask=None):
        seen = mask if mask is None else mask[..., :128]
        return honest(op, q, k[:, :128], v[:, :128], seen)

    return fault


@replaces("ops.embedding")
def embedding_pads_with_id_1(honest):
    """Its row is looked up and learns nothing."""

    def fault(op, ids, weight):
        y = honest(op, ids, weight)
        return tf.where((ids == 1)[..., None], tf.stop_gradient(y), y)

    return fault
