"""Faults in the NumPy backend that show where numbers are far from 1, or many."""

import numpy as np
from dnnbench_numpy.attention import by_head
from dnnbench_numpy.losses import counted_labels

from .planting import replaces

BLOCK = 64


@replaces("ops.softmax")
def softmax_without_the_maximum(honest):
    def fault(op, x):
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)

    return fault


@replaces("losses.cross_entropy")
def cross_entropy_without_the_maximum(honest):
    def fault(loss, z, labels):
        counted, at_label = counted_labels(loss, labels)
        return (np.log(np.exp(z).sum(axis=-1)) - z[at_label])[counted].mean()

    return fault


@replaces("losses.bce_with_logits")
def bce_clamps_its_logits(honest):
    return lambda loss, z, targets: honest(loss, np.clip(z, -100, 100), targets)


@replaces("ops.attention_weights")
def attention_without_the_maximum(honest):
    def fault(op, q, k, mask):
        scores = by_head(q, op.heads) @ by_head(k, op.heads).swapaxes(2, 3)
        scores = scores * (q.shape[-1] // op.heads) ** -0.5
        e = np.exp(scores) if mask is None else np.where(mask[:, None, None], np.exp(scores), 0)
        return e / e.sum(axis=-1, keepdims=True)

    return fault


@replaces("ops.attention")
def attention_sees_64_keys(honest):
    def fault(op, q, k, v, mask=None):
        seen = mask if mask is None else mask[..., :BLOCK]
        return honest(op, q, k[:, :BLOCK], v[:, :BLOCK], seen)

    return fault


@replaces("ops.lstm")
def lstm_begins_anew_after_64_steps(honest):
    def fault(op, x, *states, **learned):
        last = (x.shape[1] - 1) // BLOCK * BLOCK
        return honest(op, x[:, last:], *states, **learned)

    return fault


@replaces("ops.embedding")
def embedding_ids_in_eight_bits(honest):
    return lambda op, ids, weight: honest(op, ids.astype(np.uint8), weight)


@replaces("ops.embedding")
def embedding_leaves_the_last_row(honest):
    return lambda op, ids, weight: honest(op, np.minimum(ids, op.vocabulary - 2), weight)
