"""Attention by heads: what queries see, and how strongly."""

from math import sqrt

import numpy as np

from . import products
from .once import once
from .rounding import stored


def by_head(x: np.ndarray, heads: int) -> np.ndarray:
    """(N, T, D) -> (N, heads, T, D / heads)"""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def side_by_side(x: np.ndarray) -> np.ndarray:
    """(N, heads, T, D / heads) -> (N, T, D)"""
    return x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1)


def scale_of(op, q: np.ndarray) -> float:
    """1 / sqrt(D / heads)"""
    return 1 / sqrt(q.shape[-1] // op.heads)


@once
def attention_weights(op, q: np.ndarray, k: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """P = softmax(Q K^T / sqrt(D / heads)) over the keys in sight.
    returns: (N, heads, T, S)
    """
    keys = by_head(k, op.heads).swapaxes(2, 3)  # (N, heads, D / heads, S)
    scores = products.matmul(by_head(q, op.heads), keys) * scale_of(op, q)
    seen = _in_sight(op, q.shape[1], k.shape[1], mask)
    if seen is not None:
        scores = np.where(seen, scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return stored(e / e.sum(axis=-1, keepdims=True))


def _in_sight(op, length, keys, mask):
    """True where a query attends to a key, in a shape that stretches to (N, heads, T, S);
    None: everywhere.
    """
    past = np.tri(length, keys, keys - length, dtype=bool) if op.causal else None
    if mask is None:
        return past
    seen = mask[:, None, None, :] if mask.ndim == 2 else mask[:, None]
    return seen if past is None else seen & past
