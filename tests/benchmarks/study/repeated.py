"""What a second confirmation finds and how often it errs, where D_g is normal:
`python -m study.repeated`.

Simulated, because three recordings in a row are few, and a chance of 1 % takes thousands of gates.
One cell is flagged; theta is 2 %.
"""

import math
from collections.abc import Iterator

import numpy as np
from dnnbench.stats.estimates import mean_interval
from dnnbench.stats.gate import FAMILY_ALPHA, slower_p
from dnnbench.stats.verdict import THETA

RUNS = 4000
GENERATIONS = (6, 10, 20)
SPREADS = (0.01, 0.02)
"""Standard deviations of D_g."""
TRUTHS = (THETA, 0.03, 0.05)
"""The first is the most that passes, where a test errs most."""


def _is_undecided(effects: np.ndarray) -> bool:
    mean, half = mean_interval(effects)
    return mean + half > math.log1p(THETA)


def _once(first: np.ndarray, again: np.ndarray) -> bool:
    return slower_p(first, THETA) <= FAMILY_ALPHA


def _twice(first: np.ndarray, again: np.ndarray) -> bool:
    if slower_p(first, THETA) <= FAMILY_ALPHA / 2:
        return True
    return _is_undecided(first) and slower_p(again, THETA) <= FAMILY_ALPHA / 2


def _together(first: np.ndarray, again: np.ndarray) -> bool:
    return slower_p(np.concatenate([first, again]), THETA) <= FAMILY_ALPHA


RULES = {
    "one, with all of alpha": _once,
    "two, each with half": _twice,
    "one of twice the generations": _together,
}


def rows(runs: int = RUNS) -> Iterator[list[str]]:
    """A row for each number of generations and spread of D_g, a cell for each truth: the share of
    gates that each rule lets confirm a slowdown.
    """
    for generations in GENERATIONS:
        for spread in SPREADS:
            cells = [_shares(generations, spread, truth, runs) for truth in TRUTHS]
            yield [str(generations), f"{spread:.0%}", *cells]


def _shares(generations: int, spread: float, truth: float, runs: int) -> str:
    chance = np.random.default_rng(1)
    drawn = chance.normal(math.log1p(truth), spread, (runs, 2, generations))
    shares = (np.mean([rule(*both) for both in drawn]) for rule in RULES.values())
    return ", ".join(f"{share:.1%}" for share in shares)


def main() -> None:
    """The table, as Markdown."""
    from table import markdown

    print(f"{RUNS} gates each; {'; '.join(RULES)}")
    heading = ["generations", "sd of D_g", *(f"+{truth:.0%}" for truth in TRUTHS)]
    print(markdown(heading, list(rows())))


if __name__ == "__main__":
    main()
