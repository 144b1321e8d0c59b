"""One trial as it was recorded: every visit of every arm, and what else is known of it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from dnnbench.stats.estimates import CONTENDED, Visits

from .kinds import extra, truth


@dataclass(frozen=True)
class Trial:
    """Rounds of one trial, R in all, of A arms.

    kind: its name.
    arms: label -> sub-steps.
    pairs: (arm, base) to judge.
    calls: k of every visit.
    generation, flags, control_s: (R,), the last in seconds.
    seconds, position: (R, A), arms in their order.
    facts: when, on what, with which versions, seconds of each start.
    sitting: name of its file.
    """

    kind: str
    arms: dict[str, int]
    pairs: tuple[tuple[str, str], ...]
    calls: int
    generation: np.ndarray
    flags: np.ndarray
    control_s: np.ndarray
    seconds: np.ndarray
    position: np.ndarray
    facts: dict
    sitting: str = ""

    @cached_property
    def number(self) -> np.ndarray:
        """Each round's number in its generation."""
        starts = np.searchsorted(self.generation, self.generation)
        return np.arange(len(self.generation)) - starts

    @cached_property
    def generations(self) -> list[int]:
        """The generations that are there."""
        return np.unique(self.generation).tolist()

    @cached_property
    def cell_s(self) -> np.ndarray:
        """Seconds that a round spent on one cell's visit, its untimed call counted:
        (R,), mean over the arms.
        """
        return self.seconds.mean(axis=1, dtype=float) * (self.calls + 1) / self.calls

    @cached_property
    def contended(self) -> np.ndarray:
        """Whether a round carries a flag for which it is left out: (R,)."""
        return (self.flags.astype(np.int64) & CONTENDED) != 0

    def visits(self, arm: str) -> Visits:
        """One arm's visits as the product's statistics take them."""
        place = list(self.arms).index(arm)
        whole = (
            column.astype(np.int64)
            for column in (self.generation, self.number, self.position[:, place])
        )
        return Visits(
            *whole, self.seconds[:, place].astype(float) / self.calls, self.flags.astype(np.int64)
        )

    def where(self, keep: np.ndarray) -> "Trial":
        """Only the rounds that a mask (R,) keeps; they are numbered anew."""
        columns = ("generation", "flags", "control_s", "seconds", "position")
        return replace(self, **{name: getattr(self, name)[keep] for name in columns})

    def truth(self, arm: str, base: str) -> float:
        """The log ratio that a perfect measurement gives."""
        return truth(self.arms[arm], self.arms[base])

    def extra(self, arm: str, base: str) -> float:
        """Share of work that the arm does beyond the base's, to the nearest thousandth."""
        return round(extra(self.arms[arm], self.arms[base]), 3)
