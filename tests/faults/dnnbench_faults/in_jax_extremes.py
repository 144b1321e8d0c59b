"""Faults in the JAX backend that show where numbers are far from 1, or many."""

import jax.numpy as jnp

from .planting import replaces

BLOCK = 64


@replaces("losses.cross_entropy")
def cross_entropy_without_the_maximum(honest):
    def fault(loss, z, labels):
        log_sum = jnp.log(jnp.exp(z).sum(axis=-1))
        at_label = jnp.take_along_axis(z, labels[..., None], -1)[..., 0]
        expected = (1 - loss.smoothing) * at_label + loss.smoothing * z.mean(axis=-1)
        return (log_sum - expected).mean()

    return fault


@replaces("ops.attention")
def attention_without_the_maximum(honest):
    def fault(op, q, k, v, mask=None):
        qs, ks, vs = (x.reshape(*x.shape[:2], op.heads, -1) for x in (q, k, v))
        e = jnp.exp(jnp.einsum("nthd,nshd->nhts", qs, ks) * qs.shape[-1] ** -0.5)
        e = e if mask is None else jnp.where(mask[:, None, None], e, 0)
        weights = e / e.sum(axis=-1, keepdims=True)
        return jnp.einsum("nhts,nshd->nthd", weights, vs).reshape(q.shape)

    return fault


@replaces("ops.gru")
def gru_begins_anew_after_64_steps(honest):
    def fault(op, x, *states, **learned):
        parts = [x[:, start : start + BLOCK] for start in range(0, x.shape[1], BLOCK)]
        return jnp.concatenate([honest(op, part, *states, **learned) for part in parts], axis=1)

    return fault


@replaces("ops.dense")
def dense_of_many_weights_leaves_the_last_row(honest):
    def fault(op, x, weight, bias=None):
        if weight.size > 2**18:
            weight = weight.at[-1].set(0)
        return honest(op, x, weight, bias)

    return fault


@replaces("ops.embedding")
def embedding_row_0_is_zero(honest):
    return lambda op, ids, weight: jnp.where((ids == 0)[..., None], 0, honest(op, ids, weight))
