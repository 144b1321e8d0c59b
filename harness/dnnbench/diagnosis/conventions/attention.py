"""Conventions of attention: scale, masks, and how heads lie in the features."""

import numpy as np

from .scene import convention


def _scaled(scene, times):
    return scene.with_inputs({0: lambda q: q * times})


@convention("scale 1/sqrt(D) over all features in place of one head's", "attention")
def scale_of_all(scene):
    return _scaled(scene, scene.op.heads**-0.5) if scene.op.heads > 1 else None


@convention("no scale 1/sqrt(D/H)", "attention")
def no_scale(scene):
    return _scaled(scene, (scene.inputs[0].shape[-1] / scene.op.heads) ** 0.5)


@convention("scale 1/d in place of 1/sqrt(d)", "attention")
def scale_without_root(scene):
    return _scaled(scene, (scene.inputs[0].shape[-1] / scene.op.heads) ** -0.5)


@convention("mask's polarity (True hides)", "attention")
def mask_inverted(scene):
    """Queries that then see nothing see everything: what a mask of -1e9 added to the scores makes of them."""

    def hidden(mask):
        return ~mask | mask.all(axis=-1, keepdims=True)

    return scene.with_inputs({3: hidden}) if len(scene.inputs) == 4 else None


@convention("mask left out", "attention")
def mask_ignored(scene):
    return scene.with_inputs({3: np.ones_like}) if len(scene.inputs) == 4 else None


@convention("causal mask left out, or put in, against the spec", "attention")
def other_causality(scene):
    return scene.with_op(causal=not scene.op.causal)


def _split(x, heads):
    """(N, T, D) -> (N, heads, T, D / heads)"""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def _attended(scene, allowed):
    """Attention under a mask (T, S) of what each query may see, on top of the scene's own."""
    q, k, v, *masks = scene.inputs
    heads = scene.op.heads
    scores = _split(q, heads) @ _split(k, heads).swapaxes(-1, -2) / (q.shape[-1] / heads) ** 0.5
    seen = np.broadcast_to(allowed, (len(q), 1, q.shape[1], k.shape[1]))
    for mask in masks:
        seen = seen & (mask[:, None, None, :] if mask.ndim == 2 else mask[:, None])
    e = np.exp(scores - scores.max(axis=-1, keepdims=True)) * seen
    return (e / e.sum(axis=-1, keepdims=True) @ _split(v, heads)).swapaxes(1, 2).reshape(q.shape)


@convention("causal mask that starts at the first key, whatever the cache", "attention")
def top_left(scene):
    length, keys = scene.inputs[0].shape[1], scene.inputs[1].shape[1]
    if not scene.op.causal or length == keys:
        return None
    return scene.value(lambda: _attended(scene, np.tril(np.ones((length, keys), bool))))


@convention("causal mask that hides a query's own place too", "attention")
def strictly_causal(scene):
    length, keys = scene.inputs[0].shape[1], scene.inputs[1].shape[1]
    if not scene.op.causal or length == keys:
        return None
    return scene.value(lambda: _attended(scene, np.tril(np.ones((length, keys), bool), keys - length - 1)))


@convention("heads interleaved in the features", "attention")
def heads_interleaved(scene):
    heads, width = scene.op.heads, scene.inputs[0].shape[-1]
    order = np.arange(width).reshape(-1, heads).T.reshape(-1)

    def pick(x):
        return x[..., order]

    def back(y):
        return y[..., np.argsort(order)]

    return scene.with_inputs({0: pick, 1: pick, 2: pick}, back) if heads > 1 and scene.asks_for_value() else None


@convention("one head in place of several", "attention")
def single_head(scene):
    return scene.with_op(heads=1) if scene.op.heads > 1 else None


@convention("softmax over queries in place of keys", "attention")
def over_queries(scene):
    q, k, v = scene.inputs[:3]
    heads = scene.op.heads
    if len(scene.inputs) > 3 or scene.op.causal:
        return None

    def formula():
        e = np.exp(_split(q, heads) @ _split(k, heads).swapaxes(-1, -2) / (q.shape[-1] / heads) ** 0.5)
        return (e / e.sum(axis=-2, keepdims=True) @ _split(v, heads)).swapaxes(1, 2).reshape(q.shape)

    return scene.value(formula)


@convention("keys and values swapped", "attention")
def keys_and_values(scene):
    return scene.with_order((0, 2, 1, *range(3, len(scene.inputs))))
