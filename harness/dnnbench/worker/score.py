"""How well a network does on labelled examples: wrong answers, and the value of its task's
loss, in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..spec.losses import BceWithLogits, CrossEntropy, Loss


@dataclass(frozen=True)
class Score:
    """Over the answers that count: labels that are not ignored, yes-or-no targets,
    or numbers of a regression.
    """

    counted: int
    wrong: int | None
    """None for a regression, whose answers are never exactly right."""
    loss: float

    @property
    def accuracy(self) -> float | None:
        """Share of right answers; None for a regression."""
        return None if self.wrong is None else 1 - self.wrong / self.counted


def score(loss: Loss, z: np.ndarray, prediction: np.ndarray, targets: np.ndarray) -> Score:
    """A model's first output z and its prediction held against targets.

    z: (N, ..., K) or (N, ...)
    prediction, targets: (N, ...).
    An answer that comes from NaN is wrong.
    """
    counted = counts(loss, targets)
    z = z.astype(np.float64)
    if isinstance(loss, CrossEntropy):
        no_answer = np.isnan(z).any(
            axis=-1
        )  # argmax of NaN is some class, and may be the right one
        wrong = int(np.sum(((prediction != targets) | no_answer) & counted))
        return Score(
            int(counted.sum()), wrong, _cross_entropy(z[counted], targets[counted], loss.smoothing)
        )
    if isinstance(loss, BceWithLogits):
        wrong = int(np.sum((prediction.astype(bool) != (targets > 0.5)) | np.isnan(z)))
        elements = np.maximum(z, 0) - z * targets + np.log1p(np.exp(-np.abs(z)))
        return Score(targets.size, wrong, float(elements.mean()))
    return Score(targets.size, None, float(np.square(z - targets).mean()))


def counts(loss: Loss, targets: np.ndarray) -> np.ndarray:
    """True for each target that the loss takes into its mean, in the shape of `targets`."""
    ignored = getattr(loss, "ignored", None)
    return np.ones(targets.shape, bool) if ignored is None else targets != ignored


def total(scores: Sequence[Score]) -> Score:
    """The score of several batches together."""
    counted = sum(part.counted for part in scores)
    wrongs = [part.wrong for part in scores if part.wrong is not None]
    wrong = sum(wrongs) if wrongs else None
    return Score(counted, wrong, sum(part.loss * part.counted for part in scores) / counted)


def _cross_entropy(z: np.ndarray, labels: np.ndarray, smoothing: float) -> float:
    """z: (n, K)   labels: (n,)"""
    log_p = z - z.max(axis=-1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=-1, keepdims=True))
    at_label = np.take_along_axis(log_p, labels[:, None], axis=-1).mean()
    return float(-(1 - smoothing) * at_label - smoothing * log_p.mean())
