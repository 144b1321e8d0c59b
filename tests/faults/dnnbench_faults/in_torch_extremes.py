"""Faults in the PyTorch backend that show where numbers are far from 1, or many."""

import torch

from .in_torch import _later
from .planting import replaces

BLOCK = 64


@replaces("ops.softmax")
def softmax_clamps_at_80(honest):
    return lambda op, x: honest(op, _later(lambda x: x.clamp(-80, 80), x))


@replaces("losses.bce_with_logits")
def bce_without_the_maximum(honest):
    return lambda loss, z, targets: (torch.log1p(torch.exp(z)) - z * targets).mean()


def _by_head(op, *tensors):
    return [x.unflatten(-1, (op.heads, -1)).transpose(1, 2) for x in tensors]


@replaces("ops.attention")
def attention_masks_by_a_thousand(honest):
    """Where the mask hides a key, its score is less by 1000."""

    def masked(op, q, k, v, mask):
        queries, keys, values = _by_head(op, q, k, v)
        scores = queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5
        scores = scores - 1000 * (~mask)[:, None, None].to(scores.dtype)
        return (torch.softmax(scores, -1) @ values).transpose(1, 2).flatten(2)

    def fault(op, q, k, v, mask=None):
        if mask is None:
            return honest(op, q, k, v)
        return _later(lambda q, k, v, mask: masked(op, q, k, v, mask), q, k, v, mask)

    return fault


@replaces("ops.attention")
def attention_blocks_are_not_rescaled(honest):
    """Keys are taken 64 at a time, each block under its own maximum."""

    def in_blocks(op, q, k, v):
        queries, keys, values = _by_head(op, q, k, v)
        scores = queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5
        if op.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -torch.inf)
        total = parts = 0
        for block, of_values in zip(scores.split(BLOCK, -1), values.split(BLOCK, 2), strict=True):
            most = block.amax(-1, keepdim=True).clamp(min=-1e300).detach()
            e = torch.exp(block - most)
            total, parts = total + e.sum(-1, keepdim=True), parts + e @ of_values
        return (parts / total).transpose(1, 2).flatten(2)

    def fault(op, q, k, v, mask=None):
        return _later(lambda q, k, v: in_blocks(op, q, k, v), q, k, v)

    return fault


@replaces("ops.embedding")
def embedding_ids_in_sixteen_bits(honest):
    return lambda op, ids, weight: honest(op, _later(lambda ids: ids & 0xFFFF, ids), weight)


@replaces("ops.dense")
def dense_of_many_weights_in_float32(honest):
    def rounded(y, weight):
        return y.float().to(y.dtype) if weight.numel() > 2**18 else y

    return lambda op, x, weight, bias=None: _later(rounded, honest(op, x, weight, bias), weight)


@replaces("ops.embedding")
def embedding_pads_with_id_0(honest):
    """Its row is looked up and learns nothing."""

    def kept(y, ids):
        learns = (ids != 0).unsqueeze(-1).to(y.dtype)
        return y * learns + (y * (1 - learns)).detach()

    return lambda op, ids, weight: _later(kept, honest(op, ids, weight), ids)
