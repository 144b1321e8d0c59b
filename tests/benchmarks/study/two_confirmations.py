"""The gate with a second confirmation on recordings: one trial screens, the next one of its kind
confirms what was flagged, and the one after that what stayed undecided.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from dnnbench.execution.fresh import LEAST_LEFT
from dnnbench.stats.estimates import Pairs, ratio
from dnnbench.stats.gate import (
    FAMILY_ALPHA,
    Confirmation,
    FlaggedCell,
    confirm,
    is_flagged,
)
from dnnbench.stats.verdict import THETA

from .cuts import first_seconds
from .judging import pairs_of
from .trial import Trial
from .two_stages import Pair, alike

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Stages:
    """Three trials of one kind and machine that follow each other, and what the first flagged."""

    screen: Trial
    fresh: Trial
    again: Trial
    flagged: list[Pair]


Rule = Callable[[Stages], set[Pair]]
"""The flagged pairs that a way to confirm calls slower."""


def in_threes(trials: Sequence[Trial]) -> Iterator[Stages]:
    """Each trial with the next two of its kind on a machine like its own; the last with the first.

    Two or one give none.
    """
    for group in alike(trials):
        if len(group) > 2:
            later = (group[1:] + group[:1], group[2:] + group[:2])
            for screen, fresh, again in zip(group, *later, strict=True):
                yield Stages(screen, fresh, again, _flagged(screen))


def _flagged(screen: Trial) -> list[Pair]:
    estimates = {pair: ratio(pairs_of(screen, *pair)[0]).estimate for pair in screen.pairs}
    return [pair for pair, estimate in estimates.items() if is_flagged(estimate, THETA)]


def _family(trial: Trial, pairs: Sequence[Pair], alpha: float) -> dict[Pair, Confirmation]:
    cells = [FlaggedCell(*pairs_of(trial, *pair)) for pair in pairs]
    return dict(zip(pairs, confirm(cells, THETA, alpha), strict=True))


def once(stages: Stages, alpha: float = FAMILY_ALPHA) -> set[Pair]:
    """One confirmation."""
    found = _family(stages.fresh, stages.flagged, alpha)
    return {pair for pair, one in found.items() if one.confirmed}


def twice(stages: Stages, share: float = 1.0) -> set[Pair]:
    """Two, each at half of alpha; the second of what the first left undecided.

    share: of the seconds of the first, which the second has.
    """
    first = _family(stages.fresh, stages.flagged, FAMILY_ALPHA / 2)
    undecided = [pair for pair, one in first.items() if one.is_undecided(THETA)]
    second = _family(_part(stages.again, share), undecided, FAMILY_ALPHA / 2)
    both = (*first.items(), *second.items())
    return {pair for pair, one in both if one.confirmed}


def _part(trial: Trial, share: float) -> Trial:
    if share == 1:
        return trial
    return first_seconds(trial, share * trial.facts["seconds_a_cell"])


def together(stages: Stages) -> set[Pair]:
    """One confirmation of the generations of both: what a gate confirms that plans so many."""
    cells = [FlaggedCell(*_joined(stages, pair)) for pair in stages.flagged]
    found = confirm(cells, THETA, FAMILY_ALPHA)
    return {pair for pair, one in zip(stages.flagged, found, strict=True) if one.confirmed}


def _joined(stages: Stages, pair: Pair) -> tuple[Pairs, str]:
    """Pairs of both trials, generations in their order; what speaks against them."""
    (first, objection), (again, another) = (
        pairs_of(trial, *pair) for trial in (stages.fresh, stages.again)
    )
    later = replace(again, generation=again.generation + first.generation.max() + 1)
    columns = {
        each.name: np.concatenate([getattr(first, each.name), getattr(later, each.name)])
        for each in fields(Pairs)
    }
    return Pairs(**columns), objection or another


RULES: dict[str, Rule] = {
    "one, with all of alpha": once,
    "one, with half of alpha": partial(once, alpha=FAMILY_ALPHA / 2),
    "two, each with half": twice,
    f"two, the second of {LEAST_LEFT:.0%} of the seconds": partial(twice, share=LEAST_LEFT),
    "one of twice the generations": together,
}


def confirmed_twice(trials: Sequence[Trial]) -> "dict[str, pd.DataFrame]":
    """What each rule says: extra, confirmed, a row a comparison; the same for all rules."""
    import pandas as pd

    gates = list(in_threes(trials))
    columns = ["extra", "confirmed"]
    return {name: pd.DataFrame(_rows(gates, rule), columns=columns) for name, rule in RULES.items()}


def _rows(gates: Sequence[Stages], rule: Rule) -> list[tuple[float, bool]]:
    return [
        (stages.screen.extra(*pair), pair in confirmed)
        for stages, confirmed in ((stages, rule(stages)) for stages in gates)
        for pair in stages.screen.pairs
    ]
