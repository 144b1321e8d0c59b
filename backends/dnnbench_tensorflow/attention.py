"""Scaled dot-product attention, written out: TensorFlow has no kernel of its own for it."""

import numpy as np
import tensorflow as tf

from .kernels import wide


def attend(op, q, k, v, mask=None):
    """q: (N, T, D)   k, v: (N, S, D)   mask: (N, S) or (N, T, S)   returns: (N, T, D)"""
    size = q.shape[-1] // op.heads
    q, k, v = (_heads(x, op.heads) for x in (q * size**-0.5, k, v))
    scores = tf.matmul(q, k, transpose_b=True)  # (N, heads, T, S)
    weights = _softmax(_masked(scores, op.causal, mask))
    y = tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3))
    return tf.reshape(y, (y.shape[0], y.shape[1], -1))


def _heads(x, heads):
    """(N, T, D) -> (N, heads, T, D / heads)"""
    return tf.transpose(tf.reshape(x, (*x.shape[:2], heads, -1)), (0, 2, 1, 3))


def _masked(scores, causal, mask):
    seen = None
    if mask is not None:
        seen = tf.reshape(mask, (mask.shape[0], 1, -1, mask.shape[-1]))
    if causal:
        queries, keys = scores.shape[-2:]
        earlier = tf.constant(np.tri(queries, keys, keys - queries, dtype=bool))
        seen = earlier if seen is None else seen & earlier
    return scores if seen is None else tf.where(seen, scores, tf.constant(-np.inf, scores.dtype))


def _softmax(scores):
    """In float32 at least."""
    return tf.cast(tf.nn.softmax(tf.cast(scores, wide(scores.dtype))), scores.dtype)
