"""The gate on recordings: one trial screens, the next one of its kind confirms what was flagged."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from dnnbench.stats.estimates import ratio
from dnnbench.stats.gate import FlaggedCell, confirm, is_flagged
from dnnbench.stats.verdict import THETA, Verdict

from .judging import pairs_of
from .trial import Trial

Pair = tuple[str, str]


def gate(screen: Trial, fresh: Trial, theta: float = THETA) -> dict[Pair, tuple[bool, bool]]:
    """(flagged, confirmed slower) of each pair; the pairs of a trial are the cells of one gate."""
    flagged = [
        pair
        for pair in screen.pairs
        if is_flagged(ratio(pairs_of(screen, *pair)[0]).estimate, theta)
    ]
    found = confirm([FlaggedCell(*pairs_of(fresh, *pair)) for pair in flagged], theta)
    confirmed = {
        pair
        for pair, one in zip(flagged, found, strict=True)
        if one.finding.verdict == Verdict.CONFIRMED
    }
    return {pair: (pair in flagged, pair in confirmed) for pair in screen.pairs}


def in_twos(trials: Sequence[Trial]) -> Iterator[tuple[Trial, Trial]]:
    """Each trial with the next of its kind on a machine like its own, the last with the first.

    One alone gives none.
    """
    for group in alike(trials):
        if len(group) > 1:
            yield from zip(group, group[1:] + group[:1], strict=True)


def alike(trials: Sequence[Trial]) -> Iterator[list[Trial]]:
    """The trials of each kind and machine, in their order."""

    def where(trial: Trial) -> tuple[str, str]:
        return trial.kind, trial.facts["machine"]

    for _, group in groupby(sorted(trials, key=where), key=where):
        yield list(group)
