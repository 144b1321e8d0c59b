"""Conventions of attention: scale, masks, and how heads lie in the features."""

import numpy as np

from ...protocol.rounding import rounded
from .convention import Answer, Variant, convention
from .part import ReplayedPart
from .products import FACTORS


def _scaled(part: ReplayedPart, times: float) -> Variant:
    return part.with_inputs({0: lambda q: q * times})


@convention("scale 1/sqrt(D) over all features in place of one head's", "attention")
def scale_of_all(part: ReplayedPart) -> Answer:
    return _scaled(part, part.op.heads**-0.5) if part.op.heads > 1 else None


@convention("no scale 1/sqrt(D/H)", "attention")
def no_scale(part: ReplayedPart) -> Answer:
    return _scaled(part, (part.inputs[0].shape[-1] / part.op.heads) ** 0.5)


@convention("scale 1/d in place of 1/sqrt(d)", "attention")
def scale_without_root(part: ReplayedPart) -> Answer:
    return _scaled(part, (part.inputs[0].shape[-1] / part.op.heads) ** -0.5)


@convention("mask's polarity (True hides)", "attention")
def mask_inverted(part: ReplayedPart) -> Answer:
    """Queries that then see nothing see everything, as under a mask of -1e9 added to the scores."""

    def hidden(mask: np.ndarray) -> np.ndarray:
        return ~mask | mask.all(axis=-1, keepdims=True)

    return part.with_inputs({3: hidden}) if len(part.inputs) == 4 else None


@convention("mask left out", "attention")
def mask_ignored(part: ReplayedPart) -> Answer:
    return part.with_inputs({3: np.ones_like}) if len(part.inputs) == 4 else None


@convention("causal mask left out, or put in, against the spec", "attention")
def other_causality(part: ReplayedPart) -> Answer:
    return part.with_op(causal=not part.op.causal)


def _split(x: np.ndarray, heads: int) -> np.ndarray:
    """(N, T, D) -> (N, heads, T, D / heads)"""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def _joined(y: np.ndarray) -> np.ndarray:
    """(N, heads, T, D / heads) -> (N, T, D)"""
    examples, _, length, _ = y.shape
    return y.swapaxes(1, 2).reshape(examples, length, -1)


def _scores(part: ReplayedPart) -> np.ndarray:
    """q k / sqrt(D / heads) of every head: (N, heads, T, S)"""
    q, k = part.inputs[:2]
    heads = part.op.heads
    scores = _split(q, heads) @ _split(k, heads).swapaxes(-1, -2)
    scaled: np.ndarray = scores / (q.shape[-1] / heads) ** 0.5
    return scaled


def _seen(part: ReplayedPart, allowed: np.ndarray) -> np.ndarray:
    """Which keys (T, S) a mask lets each query see, on top of the part's own: (N, heads, T, S)"""
    q, k, _, *masks = part.inputs
    seen = np.broadcast_to(allowed, (len(q), 1, q.shape[1], k.shape[1]))
    for mask in masks:
        seen = seen & (mask[:, None, None, :] if mask.ndim == 2 else mask[:, None])
    return seen


def _softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights: np.ndarray = e / e.sum(axis=-1, keepdims=True)
    return weights


def _attended(part: ReplayedPart, allowed: np.ndarray) -> np.ndarray:
    """Attention under a mask; a query that sees no key has a value of 0."""
    seen = _seen(part, allowed)
    scores = _scores(part)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True)) * seen
    total = e.sum(axis=-1, keepdims=True)
    weights = e / np.where(total == 0, 1.0, total)
    return _joined(weights @ _split(part.inputs[2], part.op.heads))


def _attended_lowered(part: ReplayedPart, allowed: np.ndarray) -> np.ndarray:
    """The same where hidden scores are lowered: a query that sees no key sees all of them."""
    lowered = _scores(part) + np.where(_seen(part, allowed), 0.0, LOWERED)
    return _joined(_softmax(lowered) @ _split(part.inputs[2], part.op.heads))


def _attended_equally(part: ReplayedPart, allowed: np.ndarray) -> np.ndarray:
    """The same in a type in which nothing of the scores is left beside what lowers them: a query
    that sees no key sees all of them equally.
    """
    seen = _seen(part, allowed)
    scores = np.where(seen.any(axis=-1, keepdims=True), _scores(part), 0.0)
    lowered = scores + np.where(seen, 0.0, LOWERED)
    return _joined(_softmax(lowered) @ _split(part.inputs[2], part.op.heads))


LOWERED = -1e9
"""Added to a score that is hidden, where -inf is not."""
MASKED = {"hidden": _attended, "lowered": _attended_lowered, "equal": _attended_equally}
"""Ways of hiding, which differ where a query sees no key."""


@convention("causal mask that starts at the first key, whatever the cache", "attention")
def top_left(part: ReplayedPart) -> Answer:
    length, keys = part.inputs[0].shape[1], part.inputs[1].shape[1]
    if not part.op.causal or length == keys:
        return None
    return part.value(lambda: _attended(part, np.tril(np.ones((length, keys), bool))))


def _causal(part: ReplayedPart, more: int) -> np.ndarray:
    """A causal mask that ends so many keys after a query's own place."""
    length, keys = part.inputs[0].shape[1], part.inputs[1].shape[1]
    return np.tril(np.ones((length, keys), bool), keys - length + more)


for _way in MASKED:

    @convention("causal mask that hides a query's own place too (off by one)", "attention")
    def strictly_causal(part: ReplayedPart, way: str = _way) -> Answer:
        if not part.op.causal:
            return None
        return part.value(lambda: MASKED[way](part, _causal(part, -1)))


@convention("causal mask that shows the next place too (off by one)", "attention")
def causal_with_the_next(part: ReplayedPart) -> Answer:
    if not part.op.causal:
        return None
    return part.value(lambda: _attended(part, _causal(part, 1)))


for _type, _bits in FACTORS.items():

    @convention(f"products of {_bits} bits ({_type})", "attention", coarse=True)
    def coarse_factors(part: ReplayedPart, type: str = _type) -> Answer:
        return part.value(lambda: _attended_coarsely(part, type))


def _attended_coarsely(part: ReplayedPart, type: str) -> np.ndarray:
    """Queries, keys, weights and values rounded before they are multiplied."""
    changed = part.with_factors(lambda x: rounded(x, type)).replay
    coarse = part.of(changed)
    allowed = _causal(part, 0) if part.op.causal else np.ones((), bool)
    scores = np.where(_seen(coarse, allowed), _scores(coarse), -np.inf)
    weights = rounded(_softmax(scores), type)
    return _joined(weights @ _split(coarse.inputs[2], part.op.heads))


@convention("heads interleaved in the features", "attention")
def heads_interleaved(part: ReplayedPart) -> Answer:
    heads, width = part.op.heads, part.inputs[0].shape[-1]
    order = np.arange(width).reshape(-1, heads).T.reshape(-1)

    def pick(x: np.ndarray) -> np.ndarray:
        return x[..., order]

    def back(y: np.ndarray) -> np.ndarray:
        return y[..., np.argsort(order)]

    if heads == 1 or not part.output_is_wrong:
        return None
    return part.with_inputs({0: pick, 1: pick, 2: pick}, back)


@convention("one head in place of several", "attention")
def single_head(part: ReplayedPart) -> Answer:
    return part.with_op(heads=1) if part.op.heads > 1 else None


@convention("softmax over queries in place of keys", "attention")
def over_queries(part: ReplayedPart) -> Answer:
    q, k, v = part.inputs[:3]
    heads = part.op.heads
    if len(part.inputs) > 3 or part.op.causal:
        return None

    def formula() -> np.ndarray:
        scores = _split(q, heads) @ _split(k, heads).swapaxes(-1, -2)
        e = np.exp(scores / (q.shape[-1] / heads) ** 0.5)
        weights = e / e.sum(axis=-2, keepdims=True)
        return _joined(weights @ _split(v, heads))

    return part.value(formula)


@convention("keys and values swapped", "attention")
def keys_and_values(part: ReplayedPart) -> Answer:
    return part.with_order((0, 2, 1, *range(3, len(part.inputs))))
