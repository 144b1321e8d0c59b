"""What it does to the errors when a run's first generations choose how many it takes:
`python -m study.pilots`.

Simulated, because the truth must be known to a tenth of a percent.
The number hangs on the pilots' variance, and the pilots are part of the interval:
a run that saw little variance by luck takes few generations, and believes it.
"""

import math
from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from dnnbench.execution.reporter import Silent
from dnnbench.execution.settings import Settings
from dnnbench.execution.split import PILOTS, Best, SoFar
from dnnbench.stats.estimates import Pairs, mean_interval
from dnnbench.stats.gate import FAMILY_ALPHA, slower_p
from dnnbench.stats.split import BLOCKS
from dnnbench.stats.stopping import enough
from dnnbench.stats.verdict import THETA

from .bounds import Count

RUNS = 2000
ROUNDS = 20 * BLOCKS
"""Of a pilot."""
MEDIAN_VARIANCE = math.pi / 2
"""Of the median of many normal values, over that of their mean."""


class Noise(NamedTuple):
    """sd between processes, sd that one second of visits leaves open,
    seconds that a start takes.
    """

    between: float
    second: float
    start_s: float

    def generation(self, chance: np.random.Generator, seconds: float) -> float:
        """D_g of one that has so many seconds."""
        return chance.normal(0, math.hypot(self.between, self.second / math.sqrt(seconds)))


NOISES = [
    Noise(*one) for one in product((0.001, 0.003, 0.01, 0.03), (0.003, 0.01, 0.03), (1.0, 10.0))
]


class Planned:
    """A run of equals whose noise decides, a gate's screen unless `precision` is 0.

    `effects` are its D_g.
    """

    def __init__(self, noise: Noise, chance: np.random.Generator, precision: float):
        self._noise, self._chance = noise, chance
        self._pilots: list[np.ndarray] = []
        self.effects: list[float] = []
        split = Best(Settings(generations=None), Silent())
        while (seconds := split.next_s(len(self.effects), self._so_far)) is not None:
            self._take(seconds)
            if enough(self.effects, precision):
                return

    def _take(self, seconds: float) -> None:
        """The pilots round by round, as their variances are asked for; of the others D_g alone."""
        if len(self.effects) >= PILOTS:
            self.effects.append(self._noise.generation(self._chance, seconds))
            return
        of_round = self._noise.second / math.sqrt(seconds / ROUNDS * MEDIAN_VARIANCE)
        rounds = self._chance.normal(self._chance.normal(0, self._noise.between), of_round, ROUNDS)
        self._pilots.append(rounds)
        self.effects.append(float(np.median(rounds)))

    def _so_far(self) -> SoFar:
        number, generation = np.arange(PILOTS * ROUNDS), np.repeat(np.arange(PILOTS), ROUNDS)
        kept = np.ones(len(number), bool)
        pairs = Pairs(generation, number, np.concatenate(self._pilots), number % 2 == 0, kept)
        found = SimpleNamespace(ranked=lambda: ["the cell"], against_base=lambda _: pairs)
        return SoFar(found, [self._noise.start_s] * PILOTS)


def own(noise: Noise, chance: np.random.Generator) -> list[float]:
    """D_g of a run that its own pilots planned."""
    return Planned(noise, chance, precision=0.0).effects


def stopped(noise: Noise, chance: np.random.Generator) -> list[float]:
    """The same, ended once it is precise."""
    return Planned(noise, chance, precision=THETA / 2).effects


def anothers(noise: Noise, chance: np.random.Generator) -> list[float]:
    """D_g of a gate's second run: as many generations as its first took."""
    count = len(stopped(noise, chance))
    return [noise.generation(chance, Settings().max_time_s / count) for _ in range(count)]


WAYS = {
    "its own first three": own,
    "its own first three, and it ends once precise": stopped,
    "another run (the gate's second)": anothers,
}


class Errors(NamedTuple):
    """Of one way to choose: 95 % intervals that hold the truth, alarms of the gate's test at 1 %,
    generations.
    """

    held: Count
    alarms: Count
    generations: float


def errors(way, noise: Noise, runs: int, seed: int) -> Errors:
    """Of so many runs whose arm is as slow as a gate allows, where its test errs most."""
    chance = np.random.default_rng(seed)
    found = [way(noise, chance) for _ in range(runs)]
    means, halves = zip(*(mean_interval(effects) for effects in found), strict=True)
    held = sum(abs(mean) <= half for mean, half in zip(means, halves, strict=True))
    edge = math.log1p(THETA)
    alarms = sum(slower_p(np.add(effects, edge), THETA) <= FAMILY_ALPHA for effects in found)
    return Errors(
        Count(held, runs), Count(alarms, runs), float(np.mean([len(effects) for effects in found]))
    )


HEADING = [
    "the number is chosen by",
    "intervals hold",
    "at worst",
    "the test alarms",
    "at worst",
    "generations",
]


def rows(runs: int = RUNS) -> Iterator[list[str]]:
    """A row for each way: all noises together, and the worst of them."""
    for words, way in WAYS.items():
        found = [errors(way, noise, runs, seed) for seed, noise in enumerate(NOISES)]
        held, alarms = (_sum([getattr(one, name) for one in found]) for name in ("held", "alarms"))
        least, most = min(one.held.share for one in found), max(one.alarms.share for one in found)
        taken = np.mean([one.generations for one in found])
        yield [
            words,
            f"{held.share:.1%}",
            f"{least:.1%}",
            f"{alarms.share:.2%}",
            f"{most:.2%}",
            f"{taken:.0f}",
        ]


def _sum(counts: list[Count]) -> Count:
    return Count(sum(one.hits for one in counts), sum(one.n for one in counts))


def main() -> None:
    """The table, as Markdown."""
    from table import markdown

    print(f"{len(NOISES)} kinds of noise, {RUNS} runs of each")
    print(markdown(HEADING, list(rows())))


if __name__ == "__main__":
    main()
