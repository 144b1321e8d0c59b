"""The convention that a wrong tensor smells of: the one under which the reference would have given just that."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..agreement.nodes import REPEATED
from ..agreement.observing import Tensors
from ..agreement.reference import rms, rmse
from ..spec.weights import initial_weights
from .conventions import CONVENTIONS, Convention, Scene, Variant
from .replay import Replay
from .update_rules import RULES, trajectory_under

UNKNOWN = "no known convention"
EXPLAINED = 1e-3
"""Share of the error that may be left under the right convention."""
SINGLE = (2.0**-27, 2.0**-19)
"""Relative rms error that float32 arithmetic leaves in a float64 result."""

Compute = Callable[[Replay], Tensors]
"""The reference's tensors of a replay, by the keys of `observe_nodes`."""


class Evidence:
    """A tensor A that should have been R: `allowed` is the error that would have been honest."""

    def __init__(self, key: str, a: np.ndarray, r: np.ndarray, ratio: float, dtype: str):
        self.key, self.a, self.r, self.dtype = key, np.asarray(a, np.float64), np.asarray(r, np.float64), dtype
        self.error = rmse(self.a, self.r) if self.a.shape == self.r.shape else float("inf")
        self.allowed = self.error / ratio if np.isfinite(ratio) and ratio > 0 else 0.0

    def left_by(self, c: np.ndarray | None) -> float:
        """The error that is left if another tensor is what A was meant to be; infinite if too much is."""
        if c is None or c.shape != self.a.shape or not np.all(np.isfinite(c)):
            return float("inf")
        left = rmse(self.a, c)
        return left if left <= min(max(2 * self.allowed, EXPLAINED * self.error), 0.2 * self.error) else float("inf")

    def is_explained_by(self, c: np.ndarray | None) -> bool:
        """Whether another tensor is what A is, to within honest rounding or a small share of the error."""
        return self.left_by(c) < float("inf")


def smell_of_node(kind: str, replay: Replay, evidence: Evidence, truth: Tensors, reason: str, compute: Compute) -> str:
    """The convention of an op or loss, replayed alone."""
    if not np.all(np.isfinite(evidence.a)):
        return "numbers that are not finite"
    weights = initial_weights(replay.workload.model, 0) | dict(replay.weights)
    scene = Scene(replay, evidence.key, truth, weights)
    if "@" in evidence.key:
        return _smell_of_history(scene, evidence, reason, compute)
    found = _best_convention(CONVENTIONS.get(kind, ()), scene, evidence, compute)
    return found or next(_patterns(evidence, len(replay.batches[0].targets), truth), UNKNOWN)


def _best_convention(known: Iterable[Convention], scene: Scene, evidence: Evidence, compute: Compute) -> str:
    """The one that leaves the least error; the first that leaves no more than honest rounding."""
    least, name = float("inf"), ""
    for convention in known:
        left = evidence.left_by(_under(convention.apply(scene), evidence.key, compute))
        if left <= 2 * evidence.allowed:
            return convention.name
        if left < least:
            least, name = left, convention.name
    return name


def _under(found: Variant | np.ndarray | None, key: str, compute: Compute) -> np.ndarray | None:
    if not isinstance(found, Variant):
        return found
    tensors = compute(found.replay)
    return found.after(tensors[key]) if key in tensors else None


def _smell_of_history(scene: Scene, evidence: Evidence, reason: str, compute: Compute) -> str:
    """What was right at first and is wrong after a step."""
    if REPEATED in reason:
        return "an answer kept from before the step (cached)"
    moment, _, rest = evidence.key.partition("/")
    if rest.startswith("state/") and evidence.is_explained_by(scene.weights[rest.removeprefix("state/")]):
        return "running statistics not updated"
    replay, later = scene.replay, rest.startswith("then/")
    moved = {c.name: scene.truth[f"{moment}/weights/{c.name}"] for c in scene.model.constants if scene.is_lift(c.name)}
    batches = replay.batches[-1:] if later else replay.batches[:1]
    stale = replace(replay, batches=batches, steps=(), weights={**replay.weights, **_float32(moved)})
    if evidence.is_explained_by(compute(stale).get(rest.removeprefix("then/"))):
        return "stale weights (those of before the step)"
    return "something kept from before the step"


def _float32(arrays: Tensors) -> Tensors:
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def smell_of_optimizer(replay: Replay, evidence: dict[str, Evidence]) -> str:
    """The rule that makes of the replayed parameters what the suspect made of them, in every step and slot."""
    weights, optimizer = dict(replay.weights), replay.workload.task.optimizer
    if not all(np.all(np.isfinite(e.a)) for e in evidence.values()):
        return "numbers that are not finite"
    flat = replay.batches[0].targets[0].astype(np.float64)
    ends = np.cumsum([1, *(p.size for p in weights.values())])
    targets = dict(zip(weights, (flat[i:j] for i, j in pairwise(ends)), strict=True))
    for rule in RULES:
        found = trajectory_under(rule, optimizer, weights, targets, flat.size, replay.steps)
        if found is not None and all(e.is_explained_by(found.get(key)) for key, e in evidence.items()):
            return rule.name
    return next((name for e in evidence.values() for name in _patterns(e, 1, {})), UNKNOWN)


def _patterns(e: Evidence, examples: int, truth: Tensors) -> Iterator[str]:
    """What an error looks like, whatever the op."""
    if e.a.shape != e.r.shape:
        yield "another shape"
        return
    if e.r.any() and not e.a.any():
        yield "left out (zeros)"
    if e.dtype == "float64" and SINGLE[0] <= e.error / (rms(e.r) or 1.0) <= SINGLE[1]:
        yield "float32 inside float64"
    yield from _factor(e, examples)
    yield from _place(e)
    if e.r.ndim == 2 and e.r.shape[0] == e.r.shape[1] and e.is_explained_by(e.r.T):
        yield "transposed"
    if e.a.size > 1 and rmse(np.sort(e.a, axis=None), np.sort(e.r, axis=None)) <= max(
        2 * e.allowed, EXPLAINED * e.error
    ):
        yield "the right numbers in another order"
    yield from _other_tensor(e, truth)


def _factor(e: Evidence, examples: int) -> Iterator[str]:
    size = np.sum(e.r * e.r)
    factor = float(np.sum(e.a * e.r) / size) if size else 0.0
    if factor == 0 or not e.is_explained_by(factor * e.r):
        return
    known = {-1.0: "-1 (its sign)"}
    if examples > 1:
        known |= {
            examples: f"{examples}, the number of examples",
            1 / examples: f"1/{examples}, examples counted twice",
        }
    named = next((text for value, text in known.items() if abs(factor / value - 1) < EXPLAINED), f"{factor:.6g}")
    yield f"multiplied by {named}"


def _place(e: Evidence) -> Iterator[str]:
    """Few elements wrong, or those of one border alone."""
    off = np.abs(e.a - e.r) > max(e.allowed, 1e-3 * float(np.max(np.abs(e.a - e.r))))
    if off.sum() == 1 < off.size:
        yield "a single element"
    for axis, size in enumerate(off.shape):
        places = np.unique(np.nonzero(off)[axis])
        if size > 2 and len(places) == 1 and places[0] in (0, size - 1) and not off.all():
            yield f"the {'first' if places[0] == 0 else 'last'} place of axis {axis} alone"


def _other_tensor(e: Evidence, truth: Tensors) -> Iterator[str]:
    group = e.key.rpartition("/")[0]
    for key, other in truth.items():
        if key != e.key and group and key.startswith(f"{group}/") and e.is_explained_by(np.asarray(other, np.float64)):
            yield f"that of {key.rpartition('/')[2]}"


def worst_first(keys: Sequence[str]) -> list[str]:
    """Keys in the order in which they tell most: values, statistics, inference, loss, gradients by example, by parameter."""
    order = ("activations/", "outputs/", "state/", "infer/", "loss", "cotangents/", "gradients/")
    return sorted(keys, key=lambda key: next((i for i, start in enumerate(order) if key.startswith(start)), len(order)))
