"""The losses that training steps return, one after the other, held against the reference's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .allowances import BUDGET, UNIT
from .status import Status


@dataclass(frozen=True)
class LossReference:
    """By step: the reference's loss in float64, and how far an honest evaluation strayed up to it.

    losses: (steps,)   strayed: (steps,)
    """

    losses: np.ndarray
    strayed: np.ndarray

    @classmethod
    def of(cls, losses: Sequence[float], honest: Sequence[float]) -> "LossReference":
        """honest: the same steps, whose sums are added in another order"""
        r = np.asarray(losses, np.float64)
        errors = np.abs(np.asarray(honest, np.float64) - r)
        return cls(r, np.maximum.accumulate(errors))

    @property
    def allowed(self) -> np.ndarray:
        """Rule 2 of each loss.  (steps,)"""
        least = BUDGET.floor * UNIT["float64"] * np.abs(self.losses)
        allowed: np.ndarray = BUDGET.exact * np.maximum(self.strayed, least)
        return allowed

    @property
    def decided(self) -> np.ndarray:
        """Which steps the precision decides: where as much as is allowed is a small share
        of the loss.  (steps,)
        """
        decided: np.ndarray = self.allowed <= BUDGET.decided_loss * np.abs(self.losses)
        return decided


@dataclass(frozen=True)
class LossComparison:
    """Of one arm.

    ratio: the largest error over what is allowed   decided: steps that decided it
    """

    status: Status
    ratio: float
    decided: int = 0
    reason: str = ""


def compare_losses(reference: LossReference, losses: Sequence[float]) -> LossComparison:
    """An arm's losses, as many as the reference has, each within its allowance."""
    wanted = reference.losses
    if not np.all(np.isfinite(wanted)):
        step = int(np.argmin(np.isfinite(wanted))) + 1
        reason = f"the reference's loss is not finite at step {step} either"
        return LossComparison(Status.NOT_COMPARED, float("nan"), 0, reason)
    if len(losses) != len(wanted):
        reason = f"{len(losses)} steps, expected {len(wanted)}"
        return LossComparison(Status.DIFFERS, float("inf"), 0, reason)
    decided = reference.decided
    count = int(decided.sum())
    if not count:
        reason = "rounding decides every step"
        return LossComparison(Status.UNDETERMINED, float("nan"), 0, reason)
    a = np.asarray(losses, np.float64)
    errors = np.where(np.isfinite(a), np.abs(a - wanted), np.inf)
    # An error of 0 within an allowance of 0 is right, not 0 / 0.
    wrong = decided & (errors > 0)
    ratios = np.divide(errors, reference.allowed, out=np.zeros_like(errors), where=wrong)
    worst = int(np.argmax(ratios))
    ratio = float(ratios[worst])
    if ratio <= 1:
        return LossComparison(Status.AGREES, ratio, count)
    reason = f"step {worst + 1} returned {a[worst]:.9g}, expected {wanted[worst]:.9g}"
    return LossComparison(Status.DIFFERS, ratio, count, reason)
