"""What each query may see, as PyTorch's fused attention wants to be told."""

import torch


def visible(op, q, k, mask):
    """(mask or None, whether the kernel's own causal triangle is wanted).

    PyTorch's triangle is for T = S.

    q: (N, T, D)
    k: (N, S, D)
    mask: (N, S) or (N, T, S) bool or None
    returns: (N, 1, 1 or T, S) or (T, S)
    """
    queries, keys = q.shape[1], k.shape[1]
    if mask is not None:
        mask = mask.unsqueeze(1).unsqueeze(1) if mask.ndim == 2 else mask.unsqueeze(1)
    if not op.causal or queries == 1:
        return mask, False
    if mask is None and queries == keys:
        return None, True
    triangle = k.new_ones((queries, keys), dtype=torch.bool).tril(keys - queries)
    return triangle if mask is None else mask & triangle, False
