"""A wrong tensor beside what it should have been, and whether another tensor explains it."""

import numpy as np

from ..agreement.deviation import rmse
from ..agreement.keys import TensorKey

EXPLAINED = 1e-3
"""Share of the error that may be left under the right explanation."""
MOST_LEFT = 0.2
"""The same where honest rounding alone would leave more."""


class WrongTensor:
    """A tensor A that should have been R: `allowed` is the error that would have been honest."""

    def __init__(
        self, key: TensorKey, observed: np.ndarray, reference: np.ndarray, ratio: float, dtype: str
    ) -> None:
        self.key, self.dtype = key, dtype
        self.a = np.asarray(observed, np.float64)
        self.r = np.asarray(reference, np.float64)
        self.error = rmse(self.a, self.r) if self.a.shape == self.r.shape else float("inf")
        self.allowed = self.error / ratio if np.isfinite(ratio) and ratio > 0 else 0.0

    def left_by(self, c: np.ndarray | None) -> float:
        """The error that is left if A was meant to be another tensor; infinite if too much is."""
        if c is None or c.shape != self.a.shape or not np.all(np.isfinite(c)):
            return float("inf")
        left = rmse(self.a, c)
        tolerated = max(2 * self.allowed, EXPLAINED * self.error)
        return left if left <= min(tolerated, MOST_LEFT * self.error) else float("inf")

    def is_explained_by(self, c: np.ndarray | None) -> bool:
        """Whether A is another tensor, to within honest rounding or a small share of the error."""
        return self.left_by(c) < float("inf")
