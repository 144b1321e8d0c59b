"""How often `dnnbench bisect` is right, by simulation of histories whose truth is known:

    python tests/benchmarks/bisect_study.py [--histories 2000] [--write docs/bisect.md]

A history is a line of revisions with the speed of each; what is simulated is what a generation
leaves, a log ratio of two processes with speeds of their own. Ends, walk and confirmation are the
code that the command runs. Seeds: the row's number, and within it the history's.
"""

import argparse
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dnnbench.revisions.walk import End, Visited, Walk
from dnnbench.stats.dead_zone import THETA
from dnnbench.stats.estimates import exp_interval
from dnnbench.stats.gate import FAMILY_ALPHA, is_flagged, slower_p
from dnnbench.stats.sequential import next_look, place_between, share_of_gap
from dnnbench.stats.split import FEWEST

RIGHT, WRONG, MORE, UNDECIDED, EQUAL = (
    "right", "wrong", "more than one step", "undecided", "ends do not differ",
)  # fmt: skip
OUTCOMES = (RIGHT, WRONG, MORE, UNDECIDED, EQUAL)
BEGIN, END = "<!-- study -->", "<!-- end of study -->"


@dataclass(frozen=True)
class Kind:
    """A kind of history.

    steps: each slowdown, a share of the good end's time.  length: revisions after the good end.
    noise: sd of a log ratio of two processes.  odd: share of processes that are 6 % slower.
    offsets: sd of what a revision's build shifts all of its processes by.
    skipped: share of revisions that cannot be installed.
    """

    steps: tuple[float, ...]
    length: int = 32
    noise: float = 0.01
    odd: float = 0.0
    offsets: float = 0.0
    skipped: float = 0.0
    generations: int = FEWEST

    @property
    def words(self) -> str:
        named = " and ".join(f"{share:.0%}".replace("%", " %") for share in self.steps)
        parts = [f"{named} of {self.length} commits" if named else f"none of {self.length} commits"]
        parts += [f"{self.generations} generations at the ends"] * (self.generations != FEWEST)
        parts += [f"{self.odd:.0%} of processes 6 % off".replace("%", " %", 1)] * bool(self.odd)
        parts += [f"builds differ by sd {100 * self.offsets:.1f} %"] * bool(self.offsets)
        parts += [f"{100 * self.skipped:.0f} % cannot be installed"] * bool(self.skipped)
        return ", ".join(parts)


KINDS = (
    *(Kind((step,), noise=noise) for step in (1.0, 0.2, 0.1, 0.05) for noise in (0.003, 0.01)),
    *(Kind((step,), noise=0.02) for step in (1.0, 0.2, 0.1)),
    Kind((0.03,), noise=0.003),
    Kind((0.05,), noise=0.01, generations=12),
    Kind((0.1,), length=4),
    Kind((0.1,), length=512),
    Kind((0.1,), odd=0.05),
    Kind((0.2,), odd=0.05, noise=0.02),
    Kind((0.1,), skipped=0.2),
    Kind((0.1,), offsets=0.005),
    Kind((0.1,), offsets=0.01),
    Kind((0.1,), offsets=0.02),
    Kind((0.05,), offsets=0.01),
    Kind((0.1, 0.1)),
    Kind((0.2, 0.05)),
    Kind(()),
)


class History:
    """One line of revisions, and measurements of it."""

    def __init__(self, kind: Kind, seed: tuple[int, int]) -> None:
        self.kind, self.draw = kind, np.random.default_rng(seed)
        places = self.draw.choice(np.arange(1, kind.length + 1), len(kind.steps), replace=False)
        self.steps = sorted(int(place) for place in places)
        self.speeds = np.zeros(kind.length + 1)
        for place, share in zip(self.steps, kind.steps, strict=True):
            self.speeds[place:] += math.log1p(share)
        self.speeds += self.draw.normal(0, kind.offsets, kind.length + 1)
        self.broken = self.draw.random(kind.length + 1) < kind.skipped

    def processes(self, place: int, count: int) -> np.ndarray:
        """Log speed of each process of a revision."""
        own = self.draw.normal(0, self.kind.noise / math.sqrt(2), count)
        odd = 0.06 * (self.draw.random(count) < self.kind.odd)
        return self.speeds[place] + own + odd

    def ratios(self, place: int, base: int, count: int) -> np.ndarray:
        return self.processes(place, count) - self.processes(base, count)


def outcome_of(kind: Kind, seed: tuple[int, int]) -> tuple[str, int]:
    """(what bisecting it comes to, generations taken after those of the ends)"""
    history, last = History(kind, seed), kind.length
    if not ends_differ(history, last):
        return EQUAL, 0
    walk, generations = Walk(last + 1), 0
    while (place := walk.next) is not None:
        if history.broken[place]:
            walk = walk.after(Visited(place, "skipped"))
            continue
        visited = visit(history, place, last, walk.next_alpha)
        generations += visited.generations
        walk = walk.after(visited)
    if walk.end is End.MORE_THAN_ONE:
        return MORE, generations
    if walk.end is End.UNDECIDED:
        return UNDECIDED, generations
    return confirmed(history, walk, last), generations


def ends_differ(history: History, last: int) -> bool:
    screen = history.ratios(last, 0, history.kind.generations)
    estimate = exp_interval(float(np.mean(screen)), 0.0, len(screen))
    fresh = history.ratios(last, 0, history.kind.generations)
    return is_flagged(estimate, THETA) and slower_p(fresh, THETA) <= FAMILY_ALPHA


def visit(history: History, place: int, last: int, alpha: float) -> Visited:
    """A candidate from look to look."""
    to_good, to_bad, taken = np.empty(0), np.empty(0), 0
    placed = place_between(to_good, to_bad, alpha)
    while placed.side == "undecided" and (look := next_look(taken)) is not None:
        more, taken = look - taken, look
        own, good, bad = (history.processes(p, more) for p in (place, 0, last))
        to_good, to_bad = np.append(to_good, own - good), np.append(to_bad, own - bad)
        placed = place_between(to_good, to_bad, alpha)
    return Visited(place, placed.side, alpha, placed.position, taken)


def confirmed(history: History, walk: Walk, last: int) -> str:
    """The commit against its parent, or the last of several against the last good one."""
    count = history.kind.generations
    own, parent, good, bad = (
        history.processes(place, count) for place in (walk.high, walk.low, 0, last)
    )
    if slower_p(own - parent, THETA) > FAMILY_ALPHA:
        return UNDECIDED
    if share_of_gap(own - parent, bad - good, FAMILY_ALPHA)[1]:
        return MORE
    return RIGHT if any(walk.low < step <= walk.high for step in history.steps) else WRONG


def rows(histories: int) -> Iterator[list[str]]:
    """A row of the table for each kind."""
    for number, kind in enumerate(KINDS):
        results = [outcome_of(kind, (number, seed)) for seed in range(histories)]
        counts = Counter(outcome for outcome, _ in results)
        walked = [taken for outcome, taken in results if outcome != EQUAL]
        shares = [_percent(counts[outcome] / histories) for outcome in OUTCOMES]
        middle = f"{np.median(walked):.0f}" if walked else ""
        yield [kind.words, f"{100 * kind.noise:.1f} %", *shares, middle]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share else "0"


def table(histories: int) -> str:
    """Markdown."""
    heading = ["slowdown", "sd of a ratio", *OUTCOMES, "generations, median"]
    lines = [heading, ["---"] * len(heading), *rows(histories)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=2000, help="of each kind (default 2000)")
    parser.add_argument("--write", type=Path, help="a page whose table is replaced")
    options = parser.parse_args()
    made = table(options.histories)
    print(made)
    if options.write:
        text = options.write.read_text()
        marked = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
        options.write.write_text(marked.sub(f"{BEGIN}\n\n{made}\n\n{END}", text))


if __name__ == "__main__":
    main()
