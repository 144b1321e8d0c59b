"""The product's verdict, and the parts of it that an ablation leaves out,
on any two arms of a trial.
"""

import math
from dataclasses import dataclass

import numpy as np
from dnnbench.execution.measured import SPOILT
from dnnbench.stats.estimates import (
    NOTHING,
    Estimate,
    Pairs,
    Visits,
    all_contended,
    contended_rounds,
    exp_interval,
    log_pairs,
    mean_interval,
    ratio,
)
from dnnbench.stats.verdict import THETA, Verdict, judge, place

from .cuts import stretches
from .trial import Trial


@dataclass(frozen=True)
class Judged:
    """What was said of an arm, and the ratio it was said of."""

    text: str
    estimate: Estimate
    reason: str = ""


def pairs_of(trial: Trial, arm: str, base: str) -> tuple[Pairs, str]:
    """Log pairs as the product takes them, and what speaks against any verdict.

    The rounds that met contention are left out; where none is clean,
    all are kept and nothing is decided.
    """
    spoilt = all_contended([trial.visits(arm)])
    dropped = NOTHING if spoilt else contended_rounds([trial.visits(arm)])
    return log_pairs(trial.visits(arm), trial.visits(base), dropped), SPOILT if spoilt else ""


def verdict(trial: Trial, arm: str, base: str, theta: float = THETA) -> Judged:
    """As `dnnbench run` judges."""
    pairs, objection = pairs_of(trial, arm, base)
    found = ratio(pairs)
    said = judge(pairs, found, theta)
    return Judged(
        Verdict.UNDECIDED if objection else said.verdict, found.estimate, objection or said.reason
    )


def keeping_all(trial: Trial, arm: str, base: str) -> Judged:
    """No round is left out."""
    return _of_visits(trial.visits(arm), trial.visits(base))


def unpaired(trial: Trial, arm: str, base: str) -> Judged:
    """No pairs: in each generation the arm's median against the base's."""
    logs = [np.log(trial.visits(label).call_s) for label in (arm, base)]
    effects = [
        np.subtract(*(np.median(log[trial.generation == g]) for log in logs))
        for g in trial.generations
    ]
    return _placed(exp_interval(*mean_interval(effects), len(effects)))


def pooled(trial: Trial, arm: str, base: str) -> Judged:
    """Rounds as the unit, whatever process they come from: t interval over all of them."""
    differences = log_pairs(trial.visits(arm), trial.visits(base)).difference
    return _placed(exp_interval(*mean_interval(differences), len(trial.generations)))


def in_stretches(trial: Trial, arm: str, base: str, length: int) -> Judged:
    """Visits `length` times as long."""
    return _of_visits(*stretches(trial, arm, base, length))


def _of_visits(arm: Visits, base: Visits) -> Judged:
    pairs = log_pairs(arm, base)
    found = ratio(pairs)
    said = judge(pairs, found)
    return Judged(said.verdict, found.estimate, said.reason)


def _placed(estimate: Estimate) -> Judged:
    if math.isnan(estimate.low):
        return Judged(Verdict.UNDECIDED, estimate, "one generation gives no interval")
    said = place(estimate)
    return Judged(said.verdict, estimate, said.reason)
