"""The walk of a bisection: which revision is measured next, and what the answers come to.

Plain data that a file keeps, so that a walk goes on where it was interrupted; nothing here
measures.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from ..stats.gate import FAMILY_ALPHA
from ..stats.sequential import Side

SKIPPED = "skipped"
"""The side of a revision that could not be installed, or not be measured."""


class End(StrEnum):
    """How a walk ended."""

    STEP = "one step"
    """Two neighbours, one like the good end, one like the bad one."""
    RANGE = "one of several"
    """What lies between the two could not be measured."""
    MORE_THAN_ONE = "more than one step"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Visited:
    """A revision that was asked, by its place in the line.

    side: of `Side`, or SKIPPED.  alpha: what its test spent.  runs: where it was measured.
    """

    place: int
    side: str
    alpha: float = 0.0
    position: float | None = None
    """0 at the good end, 1 at the bad one; None where there is no figure."""
    generations: int = 0
    runs: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Walk:
    """length: of the line of revisions, the good end at 0, the bad one at length - 1.

    alpha: the chance, at most, that any step of the walk takes the wrong side.
    """

    length: int
    visited: tuple[Visited, ...] = ()
    alpha: float = FAMILY_ALPHA

    @property
    def low(self) -> int:
        """The last place that is like the good end."""
        return max([0, *self._places(Side.GOOD)])

    @property
    def high(self) -> int:
        """The first place that is like the bad end."""
        return min([self.length - 1, *self._places(Side.BAD)])

    @property
    def skipped(self) -> list[int]:
        """Places that could not be measured."""
        return self._places(SKIPPED)

    @property
    def next(self) -> int | None:
        """The place to ask: the nearest to the middle that was not skipped; None at the end."""
        if self._last_side in (Side.BETWEEN, Side.UNDECIDED):
            return None
        inside = [p for p in range(self.low + 1, self.high) if p not in self.skipped]
        middle = (self.low + self.high) / 2
        return min(inside, key=lambda place: abs(place - middle), default=None)

    @property
    def next_alpha(self) -> float:
        """What the next test may spend: an equal share of what is left for each step that is left.

        alpha / ceil(log2 n) a step of n revisions of which none is skipped; with skips the walk is
        longer, and the shares are smaller, so that they never add up to more than alpha.
        """
        left = self.alpha - sum(each.alpha for each in self.visited)
        return left / max(math.ceil(math.log2(self.high - self.low)), 1)

    @property
    def end(self) -> End | None:
        """How the walk ended; None while there is a revision to ask."""
        if self.next is not None:
            return None
        if self._last_side == Side.BETWEEN:
            return End.MORE_THAN_ONE
        if self._last_side == Side.UNDECIDED:
            return End.UNDECIDED
        return End.STEP if self.high - self.low == 1 else End.RANGE

    @property
    def _last_side(self) -> str:
        return self.visited[-1].side if self.visited else ""

    def after(self, visited: Visited) -> Self:
        """The walk once that revision was asked."""
        return replace(self, visited=(*self.visited, visited))

    def to_json(self) -> dict[str, Any]:
        """Plain data for a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The walk that a file keeps; KeyError, TypeError or ValueError for none."""
        visited = tuple(
            Visited(**{**each, "runs": tuple(each["runs"])}) for each in stored["visited"]
        )
        return cls(int(stored["length"]), visited, float(stored["alpha"]))

    def _places(self, side: str) -> list[int]:
        return [each.place for each in self.visited if each.side == side]
