"""Whether a figure of a call grew: by equality where it is deterministic, else by a threshold that
the base's own processes give.
"""

from collections.abc import Sequence
from enum import StrEnum

FEWEST_PROCESSES = 6
"""Of either side, for a counted figure.

Of equal sides with n processes each, the chance that every value of one lies above every one of the
other is n! n! / (2n)!: at most 1 in 924 from six on.
"""


class Change(StrEnum):
    """What became of a figure, less being better."""

    EQUAL = "EQUAL"
    MORE = "MORE"
    FEWER = "FEWER"
    UNDECIDED = "UNDECIDED"


def is_constant(values: Sequence[float]) -> bool:
    """Whether every process gave the same value, and one at least did."""
    return len(set(values)) == 1


def change_by_equality(base: float, candidate: float) -> Change:
    """Of a deterministic figure."""
    if candidate == base:
        return Change.EQUAL
    return Change.MORE if candidate > base else Change.FEWER


def change_by_threshold(base: Sequence[float], candidate: Sequence[float]) -> Change:
    """Of a counted figure, from one value a process.

        MORE    min(candidate) > max(base) + (max(base) - min(base))
        FEWER   max(candidate) < min(base) - (max(base) - min(base))

    EQUAL otherwise; UNDECIDED from fewer than six processes of either side.
    """
    if min(len(base), len(candidate)) < FEWEST_PROCESSES:
        return Change.UNDECIDED
    spread = max(base) - min(base)
    if min(candidate) > max(base) + spread:
        return Change.MORE
    if max(candidate) < min(base) - spread:
        return Change.FEWER
    return Change.EQUAL
