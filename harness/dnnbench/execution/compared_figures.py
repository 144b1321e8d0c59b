"""A figure of a candidate's cell beside its base's."""

from dataclasses import dataclass

from ..stats.figures import Change


@dataclass(frozen=True)
class ComparedFigure:
    """What was counted of a call on both sides, in the middle of its processes.

    reason: why it could not be decided, or is held against a threshold though it was announced as
    deterministic.
    """

    name: str
    unit: str
    base: float | None
    candidate: float | None
    change: Change
    reason: str = ""
    is_deterministic: bool = False
    """Whether every process of a side gave the same: compared by equality."""
    is_named: bool = False
    """Whether the policy fails a candidate for it."""

    @property
    def is_regression(self) -> bool:
        """Whether it grew, and the policy names it."""
        return self.is_named and self.change is Change.MORE
