"""One tensor held against the reference: how far off, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from .keys import TensorKey
from .status import Status, badness


@dataclass(frozen=True)
class TensorComparison:
    """A tensor beside the reference's; `ratio` is error over allowance, at most 1 where they agree.

    unjudged: UNDETERMINED or NOT_COMPARED, where the ratio says nothing and is NaN.
    """

    key: TensorKey
    ratio: float
    reason: str = ""
    unjudged: Status | None = None

    @property
    def status(self) -> Status:
        """NaN does not agree."""
        if self.unjudged is not None:
            return self.unjudged
        return Status.AGREES if self.ratio <= 1 else Status.DIFFERS

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the tensor."""
        return self.status.passes


def worst_of(comparisons: Sequence[TensorComparison]) -> TensorComparison:
    """The one that speaks most against the arm: a NaN more than any number."""
    return max(comparisons, key=lambda comparison: badness(comparison.status, comparison.ratio))
