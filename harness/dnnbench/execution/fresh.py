"""What the confirmations of a gate may take, fixed before the first visit of the first of them."""

from dataclasses import dataclass

from ..stats.gate import FAMILY_ALPHA
from .settings import Settings

LEAST_LEFT = 0.25
"""Of the seconds of a confirmation that must be left for a second one: with so many a second finds
as much as with all of them, in the recordings of docs/proof.md.
"""


@dataclass(frozen=True)
class Fresh:
    """Of one confirmation: its generations, seconds of visits in all of them, and what it spends of
    the family's alpha.
    """

    generations: int
    visits_s: float
    alpha: float = FAMILY_ALPHA


def confirmations(
    settings: Settings, taken: int, screen_s: float, again: bool
) -> tuple[Fresh, ...]:
    """Of each confirmation that a gate may take, in their order: one, or two where that is wanted
    and the screen became precise so early that it left time.

    taken: generations of the screen, whose number its variances chose.  screen_s: seconds of its
    visits.  again: whether a second one is wanted.
    Each takes as many generations unless a number was asked for, and all of them: a number that
    hangs on a p, on a ratio or on its own first generations would make its p values too small.
    """
    generations = settings.generations or taken
    left_s = settings.max_time_s - screen_s
    if not again or left_s < LEAST_LEFT * settings.max_time_s:
        return (Fresh(generations, settings.max_time_s),)
    return (
        Fresh(generations, settings.max_time_s, FAMILY_ALPHA / 2),
        Fresh(generations, left_s, FAMILY_ALPHA / 2),
    )
