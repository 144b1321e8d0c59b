"""A wrong tensor beside what it should have been, and whether another tensor explains it."""

from dataclasses import dataclass

import numpy as np

from ..agreement.deviation import largest, rms, rmse
from ..agreement.keys import TensorKey
from ..agreement.nodes import watched
from ..agreement.reference import Reference
from ..agreement.replay import Replay
from ..agreement.rule_context import rule_context
from ..agreement.rules import allowance_of

MOST_LEFT = 0.2
"""Share of the error that may be left under the right explanation, where rounding would leave
more: of an error that is itself hardly more than rounding, everything near it explains half.
"""


@dataclass(frozen=True)
class Room:
    """What the rule allows a tensor: rmse, and the largest error of a single element."""

    rmse: float
    largest: float


def room_of(key: TensorKey, replay: Replay, reference: Reference, dtype: str) -> Room:
    """By the rule of the check, from the reference of a replay in an element type."""
    context = rule_context(reference, watched(replay.workload), dtype)
    allowed = allowance_of(key, context)
    return Room(allowed.rmse, allowed.largest)


class WrongTensor:
    """A tensor A that should have been R.

    room: the error that would have been honest
    in_single: the same in float32, for conventions that compute in lower types; None where no
    such evaluation is at hand
    """

    def __init__(
        self,
        key: TensorKey,
        observed: np.ndarray,
        reference: np.ndarray,
        room: Room,
        dtype: str,
        in_single: Room | None = None,
    ) -> None:
        self.key, self.room, self.dtype, self.in_single = key, room, dtype, in_single
        self.a = np.asarray(observed, np.float64)
        self.r = np.asarray(reference, np.float64)
        self.error = rmse(self.a, self.r) if self.a.shape == self.r.shape else float("inf")

    def admits(self, c: np.ndarray) -> bool:
        """Whether the rule of the check lets another tensor pass for R."""
        within = rmse(c, self.r) <= self.room.rmse
        return bool(within) and largest(c, self.r) <= self.room.largest

    def left_by(self, c: np.ndarray | None, room: Room | None = None) -> float:
        """The error that is left if A was meant to be another tensor; infinite where the rule
        would not let it pass for that one.
        """
        if c is None or c.shape != self.a.shape or not np.all(np.isfinite(c)):
            return float("inf")
        room = room or self.room
        # Rounding grows with what is rounded: a loss that is summed is as many times as far off.
        times = max(1.0, rms(c) / (rms(self.r) or 1.0))
        left = rmse(self.a, c)
        within = left <= min(times * room.rmse, MOST_LEFT * self.error)
        return left if within and largest(self.a, c) <= times * room.largest else float("inf")

    def is_explained_by(self, c: np.ndarray | None) -> bool:
        """Whether A is another tensor, by the rule of the check."""
        return self.left_by(c) < float("inf")
