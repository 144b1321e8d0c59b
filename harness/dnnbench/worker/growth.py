"""Whether time grows with the calls: twice as many take twice as long."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from ..host.clock import now
from ..host.placement import Placement, waited_share
from ..protocol.program import Program

REPEATS = 7
MOST_WAITED = 0.99
"""A share of all would leave no time to divide by."""
NEAR_ONE = (0.7, 1.4)
"""Where a ratio of two times lies that should be 1; on a loaded machine a single pair may
lie anywhere.
"""


@dataclass(frozen=True)
class Growth:
    """Time of 2 n calls over twice that of n.

    linear: median of pairs taken side by side; `most` holds all pairs but the least and the most.
    least: of the least times of either. Foreign work only adds to a time, and to the longer one of
    a pair more often; it spoils the least of seven last.
    Times are without those in which a thread waited for a CPU, where the kernel tells them.
    """

    linear: float
    most: tuple[float, float]
    least: float

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words; empty if nothing is. A fault needs the whole range and the
        least times, all off to one side.
        """
        low, high = NEAR_ONE
        if max(self.most[1], self.least) < low or min(self.most[0], self.least) > high:
            times = f"{2 * self.linear:.2f}"
            return [f"twice the calls took {times} times as long, not 2: something else is timed"]
        return []


def growth_of(pairs: Sequence[tuple[float, float]]) -> Growth:
    """pairs: seconds of 2 n calls and of n, side by side"""
    ratios = [twice / (2 * once) for twice, once in pairs]
    least = min(twice for twice, _ in pairs) / (2 * min(once for _, once in pairs))
    return Growth(round(median(ratios), 3), most_of(ratios), round(least, 3))


def pair_of_calls(
    program: Program, call: Callable[[], object], calls: int, placement: Placement
) -> tuple[float, float]:
    """Seconds of 2 n calls, and of n behind them, on a CPU."""
    twice, once = (_on_a_cpu_s(program, call, n, placement) for n in (2 * calls, calls))
    return twice, once


def _on_a_cpu_s(
    program: Program, call: Callable[[], object], calls: int, placement: Placement
) -> float:
    before = placement.waits_s()
    elapsed = seconds_of(program, call, calls)
    return elapsed * (1 - min(waited_share(before, placement.waits_s(), elapsed), MOST_WAITED))


def most_of(ratios: Sequence[float]) -> tuple[float, float]:
    """Between which all lie but the least and the most."""
    ordered = sorted(ratios)
    return round(ordered[1], 3), round(ordered[-2], 3)


def seconds_of(program: Program, call: Callable[[], object], calls: int) -> float:
    """Seconds of so many calls, each waited for."""
    begin = now()
    for _ in range(calls):
        program.wait(call())
    return now() - begin
