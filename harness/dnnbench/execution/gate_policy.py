"""What a gate does about cells that it cannot judge, and what it must be able to see."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Self

from ..protocol.keys import CellKey

LEAST_MUST_SEE = 0.10
TIMES_THETA = 3
"""By default a gate must see a slowdown of that share, or of so many times what it lets pass."""


class Inconclusive(StrEnum):
    """What becomes of a gate that nothing fails, and that has cells it could not judge."""

    FAIL = "fail"
    """INCONCLUSIVE, with an exit code of its own."""
    NEUTRAL = "neutral"
    """INCONCLUSIVE, and the exit code of a gate that passes."""
    PASS = "pass"
    """PASS: such cells are let through."""


@dataclass(frozen=True)
class GatePolicy:
    """must_see: the slowdown, a share, that a cell must have been able to see, four times in five,
    to pass.
    """

    must_see: float
    inconclusive: Inconclusive = Inconclusive.FAIL
    thresholds: tuple[tuple[str, float], ...] = ()
    """What passes of cells whose name a pattern matches, the first that does; else theta."""
    figures: tuple[str, ...] = ()
    """Names of figures, or patterns of them, that fail a candidate where they grow."""
    fail_on_unexplained_improvement: bool = False
    """Whether a candidate fails that is faster while nothing that was counted differs."""
    confirm_again: bool = False
    """Whether a second confirmation takes what the first leaves undecided, each at half of alpha,
    where the screen left time.
    """

    def names_figure(self, figure: str) -> bool:
        """Whether a figure that grows fails the candidate."""
        return any(fnmatchcase(figure, pattern) for pattern in self.figures)

    def theta_of(self, key: CellKey, theta: float) -> float:
        """The slowdown, a share, that passes of a cell: its name is `WORKLOAD/BATCH PHASE`."""
        name = f"{key.case} {key.phase}"
        matching = (share for pattern, share in self.thresholds if fnmatchcase(name, pattern))
        return next(matching, theta)

    def must_see_of(self, theta: float) -> float:
        """What a cell must have been able to see of which `theta` passes."""
        return max(self.must_see, TIMES_THETA * theta) if self._is_own(theta) else self.must_see

    def _is_own(self, theta: float) -> bool:
        return theta in [share for _, share in self.thresholds]

    def to_json(self) -> dict[str, Any]:
        """Plain data for a store."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The policy that a gate was stored with; ValueError, TypeError or KeyError for none."""
        thresholds = stored.get("thresholds", ())
        return cls(
            float(stored["must_see"]),
            Inconclusive(stored["inconclusive"]),
            tuple((str(pattern), float(share)) for pattern, share in thresholds),
            tuple(map(str, stored.get("figures", ()))),
            bool(stored.get("fail_on_unexplained_improvement", False)),
            bool(stored.get("confirm_again", False)),
        )


def default_policy(theta: float) -> GatePolicy:
    """Of a gate that lets slowdowns of `theta` pass."""
    return GatePolicy(max(LEAST_MUST_SEE, TIMES_THETA * theta))
