"""How many generations a confirmation takes: the gate replayed generation by generation,
`python -m study.fresh_numbers`.

The trials of a kind and machine make one long row of generations. From the first of each trial on,
a screen takes them as `dnnbench gate` does: three pilots, then as many as their variances plan,
ended once every interval is narrow. The confirmation takes those that follow, so both numbers are a
gate's, where `two_stages` has the six of a trial in either stage.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from dnnbench.execution.split import PILOT_S, PILOTS
from dnnbench.stats.estimates import ratio
from dnnbench.stats.gate import FlaggedCell, confirm, is_flagged
from dnnbench.stats.split import (
    FEWEST,
    MOST,
    MOST_STARTS,
    Components,
    components,
    pooled,
    tells_variances,
)
from dnnbench.stats.stopping import enough
from dnnbench.stats.verdict import THETA

from .bounds import Count
from .judging import pairs_of
from .outcomes import SECONDS, SLACK
from .trial import Trial
from .two_stages import Pair, alike

EXTRAS = (0.0, 0.05, 0.1)


class Row:
    """The generations of trials of one kind and machine, one after the other."""

    def __init__(self, trials: Sequence[Trial]):
        self.trials = trials
        self.arms = len(trials[0].arms)
        self._places = [(trial, g) for trial in trials for g in trial.generations]

    def __len__(self) -> int:
        return len(self._places)

    def part(self, begin: int, shares_s: Sequence[float]) -> Trial:
        """Generations from a place on, each cut to so many seconds a cell and numbered anew; the
        first follows the last.
        """
        parts = []
        for number, share_s in enumerate(shares_s):
            trial, generation = self._places[(begin + number) % len(self)]
            parts.append((trial, _first_rounds(trial, generation, share_s)))
        columns = {
            name: np.concatenate([getattr(trial, name)[keep] for trial, keep in parts])
            for name in ("flags", "control_s", "seconds", "position")
        }
        counts = [len(keep) for _, keep in parts]
        generation = np.repeat(np.arange(len(parts)), counts)
        return replace(self.trials[0], generation=generation, **columns)


def _first_rounds(trial: Trial, generation: int, share_s: float) -> np.ndarray:
    rounds = np.flatnonzero(trial.generation == generation)
    spent_before = np.cumsum(trial.cell_s[rounds]) - trial.cell_s[rounds]
    return rounds[spent_before < share_s]


@dataclass(frozen=True)
class Screen:
    """What a screen took: its generations, how many its pilots planned, seconds that a start takes,
    and those of visits that a stage has, of all arms together.
    """

    taken: Trial
    planned: int
    start_s: float
    budget_s: float

    @property
    def stopped(self) -> int:
        """Generations after which it ended."""
        return len(self.taken.generations)

    @property
    def flagged(self) -> list[Pair]:
        estimates = {p: ratio(pairs_of(self.taken, *p)[0]).estimate for p in self.taken.pairs}
        return [pair for pair, estimate in estimates.items() if is_flagged(estimate, THETA)]


def screen(row: Row, begin: int, seconds: float) -> Screen:
    """A screen of so many seconds a cell, from a place of the row on: `execution.split.Best`, ended
    as `execution.execute` ends it.
    """
    budget_s = seconds * row.arms
    pilot_s = min(budget_s / FEWEST, PILOT_S)
    start_s = float(np.median(row.trials[0].facts["starts_s"][:PILOTS]))
    shares_s = [pilot_s / row.arms] * PILOTS
    variances = _variances(row.part(begin, shares_s), pilot_s, start_s)
    count = variances.generations_of(budget_s) if variances else FEWEST
    left_s = budget_s - PILOTS * pilot_s
    more = min(max(round(left_s * count / budget_s), FEWEST - PILOTS), MOST - PILOTS)
    shares_s += [left_s / more / row.arms] * more
    every = row.part(begin, shares_s)
    effects = [pairs_of(every, *pair)[0].effects() for pair in every.pairs]
    lengths = range(1, len(shares_s))
    narrow = (n for n in lengths if all(enough(each[:n], THETA / 2) for each in effects))
    taken = row.part(begin, shares_s[: next(narrow, len(shares_s))])
    return Screen(taken, len(shares_s), start_s, budget_s)


def _variances(trial: Trial, each_s: float, start_s: float) -> Components | None:
    every = [pairs_of(trial, *pair)[0] for pair in trial.pairs]
    telling = [pairs for pairs in every if tells_variances(pairs.kept())]
    return pooled([components(pairs, each_s, start_s) for pairs in telling]) if telling else None


def _twice(one: Screen) -> int:
    """Of those whose starts can be waited for."""
    waited_for = MOST_STARTS * one.budget_s / one.start_s
    return round(max(min(2 * one.stopped, MOST, waited_for), FEWEST))


def _by_all(one: Screen) -> int:
    variances = _variances(one.taken, one.budget_s / one.stopped, one.start_s)
    return variances.generations_of(one.budget_s) if variances else one.stopped


RULES: dict[str, Callable[[Screen], int]] = {
    "the six of a trial": lambda one: FEWEST,
    "as many as the screen took": lambda one: one.stopped,
    "twice as many": _twice,
    "as many as its pilots planned": lambda one: one.planned,
    "as many as all of its generations plan": _by_all,
}
"""Of the variances of the screen and the time alone: no p and no ratio."""


class Said(NamedTuple):
    """Of one comparison by one rule.  count: generations of the confirmation.  again: whether some
    of them are the screen's, because too few were recorded.
    """

    rule: str
    extra: float
    confirmed: bool
    count: int
    starts_s: float
    again: bool


def said(row: Row, seconds: float) -> Iterator[Said]:
    """Every comparison of a row by every rule: a gate begins with each of its trials."""
    begin = 0
    for trial in row.trials:
        one = screen(row, begin, seconds)
        for name, rule in RULES.items():
            count = min(rule(one), len(row))
            confirmed = _confirmed(row, begin + one.stopped, [seconds / count] * count, one.flagged)
            again = one.stopped + count > len(row)
            for pair in trial.pairs:
                extra = trial.extra(*pair)
                starts_s = count * one.start_s
                yield Said(name, extra, pair in confirmed, count, starts_s, again)
        begin += len(trial.generations)


def _confirmed(row: Row, begin: int, shares_s: list[float], flagged: list[Pair]) -> set[Pair]:
    fresh = row.part(begin, shares_s)
    found = confirm([FlaggedCell(*pairs_of(fresh, *pair)) for pair in flagged], THETA)
    return {pair for pair, one in zip(flagged, found, strict=True) if one.confirmed}


def table_rows(trials: Sequence[Trial]) -> Iterator[list[str]]:
    """A row for each length and rule."""
    for seconds in SECONDS:
        long = [trial for trial in trials if trial.facts["seconds_a_cell"] >= SLACK * seconds]
        every = [one for group in alike(long) for one in said(Row(group), seconds)]
        for name in RULES:
            of_rule = [one for one in every if one.rule == name]
            shares = [_count(of_rule, extra) for extra in EXTRAS]
            yield [
                f"{seconds} s",
                name,
                f"{np.mean([one.count for one in of_rule]):.0f}",
                f"{np.mean([one.starts_s for one in of_rule]):.0f}",
                f"{sum(one.again for one in of_rule)} of {len(of_rule)}",
                shares[0].at_most(),
                *(share.at_least() for share in shares[1:]),
            ]


def _count(every: Sequence[Said], extra: float) -> Count:
    hits = [one.confirmed for one in every if one.extra == extra]
    return Count(sum(hits), len(hits))


def main() -> None:
    """The table, as Markdown."""
    from table import markdown

    from . import recordings
    from .kinds import ON_LINES, QUIET

    trials = recordings.read(recordings.FOLDER)
    counted = [trial for trial in trials if trial.kind in (*QUIET, ON_LINES)]
    heading = ["visits a cell", "generations of the confirmation", "mean", "seconds of starts"]
    heading += ["partly the screen's", "none (A/A)", "+5%", "+10%"]
    print(markdown(heading, list(table_rows(counted))))


if __name__ == "__main__":
    main()
