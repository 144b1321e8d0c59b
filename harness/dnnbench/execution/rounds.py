"""Who comes when, starts and visits: balanced for position and predecessor, shuffled,
and the same for the same seed.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
P = TypeVar("P", bound=str)
Round = list[tuple[P, list[str]]]
"""(phase, names of its arms in order)"""

SLOW = 10.0
MAX_EVERY = 16


def starting_order(arms: Iterable[T], seed: int) -> list[T]:
    """The arms as a generation starts, builds and warms them up; `seed` is the generation's own.

    In one order for all generations, what a place in it is worth (the memory that the last worker
    of that place gave back, say) would pass for an arm's own speed, and stand in no interval.
    """
    drawn = list(arms)
    random.Random(f"starts {seed}").shuffle(drawn)
    return drawn


def williams(n: int) -> list[list[int]]:
    """Orders of n labels: each label takes each position, and follows each other label,
    equally often.

    n rows for even n, 2n for odd n (n > 1).
    Row i is the zigzag 0, n-1, 1, n-2, ... shifted by i;
    for odd n each row stands a second time reversed.
    Source: E. J. Williams, Aust. J. Sci. Res. A 2 (1949) 149.
    """
    zigzag = [step // 2 if step % 2 == 0 else n - 1 - step // 2 for step in range(n)]
    rows = [_shifted(zigzag, shift) for shift in range(n)]
    return rows if n % 2 == 0 or n == 1 else rows + [row[::-1] for row in rows]


def _shifted(labels: Sequence[int], shift: int) -> list[int]:
    return [(label + shift) % len(labels) for label in labels]


def schedule(
    visits: Mapping[P, Sequence[str]], seed: int, every: Mapping[tuple[P, str], int] | None = None
) -> Iterator[Round[P]]:
    """Rounds without end; a round is a list of (phase, arms in order).

    visits: the arms of each phase.
    Phases come in a new random order each round, with the arms of a phase side by side,
    so that a ratio pairs visits close in time.
    Each phase runs through its own Williams design, rows shuffled and labels drawn anew each block.
    every: (phase, arm) -> n visits that arm in rounds 0, n, 2n, ... only.
    """
    chance = random.Random(seed)
    orders = {phase: _orders(list(arms), chance) for phase, arms in visits.items()}
    number = 0
    while True:
        phases = list(visits)
        chance.shuffle(phases)
        yield [(phase, _due(phase, next(orders[phase]), number, every or {})) for phase in phases]
        number += 1


def _orders(arms: list[str], chance: random.Random) -> Iterator[list[str]]:
    rows = williams(len(arms)) or [[]]
    while True:
        chance.shuffle(arms)
        chance.shuffle(rows)
        for row in rows:
            yield [arms[label] for label in row]


def _due(phase: P, arms: list[str], number: int, every: Mapping[tuple[P, str], int]) -> list[str]:
    return [arm for arm in arms if number % every.get((phase, arm), 1) == 0]


def thinning(visit_s: Mapping[str, float]) -> dict[str, int]:
    """Every how many rounds each arm is visited, so that none costs ten times the fastest.

    visit_s: seconds a visit of each arm in one phase.
    n is the smallest power of two with visit_s / n < 10 times the fastest,
    at most 16 so that a short generation still meets every arm;
    powers of two, so that two thinned arms always meet in the rounds of the rarer one.
    """
    fastest = min(visit_s.values(), default=0.0)
    return {arm: _every(seconds, fastest) for arm, seconds in visit_s.items()}


def _every(seconds: float, fastest: float) -> int:
    n = 1
    while n < MAX_EVERY and seconds >= SLOW * fastest * n:
        n *= 2
    return n
