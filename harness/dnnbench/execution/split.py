"""How many generations a run takes, and how many seconds of visits each has:
as asked, or as the noise has it.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from ..stats.split import (
    FEWEST,
    LEAST_ROUNDS,
    MOST,
    Components,
    components,
    pooled,
    tells_variances,
)
from ..stats.stopping import FIRST_LOOK
from .measured import MOST_REPLACED, Measured
from .reporter import Reporter
from .settings import Settings

PILOTS = 3
"""Generations that show the variances by which the others are planned."""
PILOT_S = 10.0
"""Seconds of visits in a pilot, at most: what a small budget has for each of six."""


class SoFar(NamedTuple):
    """What a run found until now, and the seconds that starting its generations took,
    one for each.
    """

    measured: Measured
    starts_s: list[float]


class Split(Protocol):
    """Asked once before every generation, in their order."""

    def next_s(self, number: int, look: Callable[[], SoFar]) -> float | None:
        """Seconds of visits of generation `number`; None if there are enough."""


def split_of(settings: Settings, report: Reporter) -> Split:
    """The split that the settings ask for."""
    return (
        Planned(settings, settings.generations, report)
        if settings.generations
        else Best(settings, report)
    )


class Planned:
    """So many generations of one length.

    A long run replaces those that contention spoilt, a short one says UNDECIDED.
    """

    def __init__(self, settings: Settings, generations: int, report: Reporter) -> None:
        self._each_s, self._wanted, self._report = (
            settings.max_time_s / generations,
            generations,
            report,
        )
        self._replaceable = MOST_REPLACED if generations >= FIRST_LOOK else 0

    def next_s(self, number: int, look: Callable[[], SoFar]) -> float | None:
        if number and self._replaceable and number - 1 in look().measured.spoilt_generations:
            self._wanted, self._replaceable = self._wanted + 1, self._replaceable - 1
            self._report.note(
                f"generation {number} met too much contention; another takes its place"
            )
        return self._each_s if number < self._wanted else None


class Best:
    """Three pilots, then as many generations of such a length as Kalibera & Jones find best
    for what the pilots showed.
    """

    def __init__(self, settings: Settings, report: Reporter) -> None:
        self._budget_s, self._report = settings.max_time_s, report
        self._each_s, self._wanted = min(settings.max_time_s / FEWEST, PILOT_S), MOST

    def next_s(self, number: int, look: Callable[[], SoFar]) -> float | None:
        if number == PILOTS:
            self._decide(look())
        return self._each_s if number < self._wanted else None

    def _decide(self, so_far: SoFar) -> None:
        left_s = self._budget_s - PILOTS * self._each_s
        variances = _variances(so_far, self._each_s)
        count = variances.generations_of(self._budget_s) if variances else FEWEST
        more = min(max(round(left_s * count / self._budget_s), FEWEST - PILOTS), MOST - PILOTS)
        self._wanted, self._each_s = PILOTS + more, left_s / more
        self._report.note(f"{_why(variances)}: {more} more generations of {self._each_s:.1f} s")


def _variances(so_far: SoFar, generation_s: float) -> Components | None:
    """Of all cells that are ranked and had rounds enough; None if there is no such cell.

    By the pilots alone, so that a run that is gone on with keeps its plan.
    """
    pairs = [so_far.measured.against_base(cell).first(PILOTS) for cell in so_far.measured.ranked()]
    start_s = float(np.median(so_far.starts_s[:PILOTS]))
    telling = [p for p in pairs if tells_variances(p.kept())]
    return pooled([components(p, generation_s, start_s) for p in telling]) if telling else None


def _why(variances: Components | None) -> str:
    if variances is None:
        return (
            f"too few rounds to tell what noise asks for, which takes {LEAST_ROUNDS} a generation"
        )
    return (
        f"processes differ by {variances.between**0.5:.2%} (sd), one second of visits leaves "
        f"{variances.within_s**0.5:.2%} open, a start takes {variances.start_s:.1f} s"
    )
