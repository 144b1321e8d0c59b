"""Attention written out: `jax.nn.dot_product_attention` takes the softmax in float32
even of float64.
"""

import jax
import jax.numpy as jnp


def attend(op, q, k, v, mask):
    """q: (N, T, D)   k, v: (N, S, D)   mask: (N, S) or (N, T, S) or None   returns: (N, T, D)"""
    qs, ks, vs = (x.reshape(*x.shape[:2], op.heads, -1) for x in (q, k, v))  # (N, T, heads, d)
    wide = jnp.promote_types(q.dtype, jnp.float32)
    products = jnp.einsum("nthd,nshd->nhts", qs, ks, preferred_element_type=wide)
    scores = products * qs.shape[-1] ** -0.5  # (N, heads, T, S)
    for seen in _seen(op, q.shape[1], k.shape[1], mask):
        scores = jnp.where(seen, scores, -jnp.inf)
    weights = jax.nn.softmax(scores, axis=-1).astype(v.dtype)
    y = jnp.einsum("nhts,nshd->nthd", weights, vs)
    return y.reshape(q.shape)


def _seen(op, queries, keys, mask):
    """What (N, heads, queries, keys) may look at, True = attend."""
    if op.causal:
        yield jnp.tri(queries, keys, keys - queries, dtype=bool)
    if mask is not None:
        yield mask[:, None, None] if mask.ndim == 2 else mask[:, None]
