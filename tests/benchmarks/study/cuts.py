"""Parts of a trial that stand for other ways of measuring: shorter, with fewer processes,
fewer or longer visits.
"""

import numpy as np
from dnnbench.stats.estimates import Visits

from .trial import Trial


def first_seconds(trial: Trial, seconds: float) -> Trial:
    """As if `seconds` of visits a cell had been asked for: the first rounds of each generation,
    its share full.
    """
    share_s, keep = seconds / len(trial.generations), np.zeros(len(trial.generation), bool)
    for g in trial.generations:
        rounds = np.flatnonzero(trial.generation == g)
        spent_before = np.cumsum(trial.cell_s[rounds]) - trial.cell_s[rounds]
        keep[rounds[spent_before < share_s]] = True
    return trial.where(keep)


def half(trial: Trial) -> Trial:
    """The first half of each generation's rounds."""
    return trial.where(trial.number < np.maximum(_rounds(trial) // 2, 1))


def half_the_generations(trial: Trial) -> Trial:
    """Every second generation, whole."""
    return trial.where(np.isin(trial.generation, trial.generations[::2]))


def every(trial: Trial, n: int) -> Trial:
    """One round in n."""
    return trial.where(trial.number % n == 0)


def stretches(trial: Trial, arm: str, base: str, length: int) -> tuple[Visits, Visits]:
    """Visits of an arm and its base, each `length` times as long:
    what one visit of so many calls would have met.

    Of each 2 `length` rounds in a row, one half gives the arm's visit and the other the base's,
    by turns the first. Whatever the length, half of the samples are used,
    so that lengths can be compared.
    """
    blocks = trial.number // (2 * length)
    whole = blocks < (_rounds(trial) // (2 * length))
    later = (trial.number // length) % 2
    arms_turn = later == blocks % 2
    return tuple(
        _merged(trial, label, turn & whole, blocks, later)
        for label, turn in ((arm, arms_turn), (base, ~arms_turn))
    )


def _merged(
    trial: Trial, label: str, keep: np.ndarray, blocks: np.ndarray, later: np.ndarray
) -> Visits:
    visits = trial.visits(label)
    keys, first, place = np.unique(
        visits.generation[keep] << 32 | blocks[keep], return_index=True, return_inverse=True
    )
    call_s = np.bincount(place, visits.call_s[keep]) / np.bincount(place)
    flags = np.zeros(len(keys), np.int64)
    np.bitwise_or.at(flags, place, visits.flags[keep])
    return Visits(
        visits.generation[keep][first], blocks[keep][first], later[keep][first], call_s, flags
    )


def _rounds(trial: Trial) -> np.ndarray:
    """For each round, how many its generation has."""
    counts = {g: int((trial.generation == g).sum()) for g in trial.generations}
    return np.array([counts[g] for g in trial.generation.tolist()])
