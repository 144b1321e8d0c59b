"""What became of holding an arm against the reference: one word for each, in every output."""

from enum import StrEnum
from math import isnan


class Status(StrEnum):
    """From the harmless to the worst: `badness` takes the order from here."""

    UNSUPPORTED = "unsupported"
    """The backend says that it does not do this."""
    UNDETERMINED = "undetermined"
    """The precision does not determine the answer; it is there, finite and of its type."""
    AGREES = "agrees"
    COULD_NOT_RUN = "could not run"
    """It raised, or its process died: there is no answer."""
    NOT_COMPARED = "not compared"
    """It ran, and there is nothing sound to hold its answer against."""
    DIFFERS = "differs"

    @property
    def passes(self) -> bool:
        """Whether nothing speaks against the arm."""
        return self in (Status.UNSUPPORTED, Status.UNDETERMINED, Status.AGREES)


_ORDER = list(Status)


def badness(status: Status, ratio: float | None) -> tuple[int, float]:
    """A key by which `max` finds the worst: status, then error over allowance; NaN is above any."""
    size = float("inf") if ratio is None or isnan(ratio) else ratio
    return _ORDER.index(status), size
