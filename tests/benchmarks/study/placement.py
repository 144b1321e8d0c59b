"""Whether building a step anew in the same process is as good as a new process:
variances of a nested design.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from dnnbench.stats.estimates import log_pairs
from table import markdown

from .bounds import LEVEL
from .limits import median_error
from .trial import Trial


@dataclass(frozen=True)
class Placement:
    """Standard deviations of the log ratio of equals, as shares, pooled over n pairs of arms.

    processes: of sets of processes.
    builds: of builds within one.
    rounds: of what the noise of rounds leaves in one build.
    at_most: 95 % limits of the first two, what is subtracted from their variances taken as known.
    """

    n: int
    processes: float
    processes_at_most: float
    builds: float
    builds_at_most: float
    rounds: float


def placement(trials: Sequence[Trial]) -> Placement | None:
    """Of trials with several builds a process; None without one.

    With D_pb the median log ratio of build b (of B) in process p, and w2 its error
    from rounds alone:

        var over b of D_pb, mean over p = s2(builds) + w2
        var over p of the mean over b   = s2(processes) + (s2(builds) + w2) / B

    Limits by chi-square with n (P - 1) degrees of freedom for P sets of processes, and n P
    (B - 1) for builds.
    """
    rows = [
        _squares(trial, *pair)
        for trial in trials
        for pair in trial.pairs
        if trial.truth(*pair) == 0
    ]
    if not rows:
        return None
    across, inside, rounds = np.mean(rows, axis=0)
    builds = trials[0].facts["builds"]
    sets = len(trials[0].generations) // builds
    apart = _beyond(across, len(rows) * (sets - 1), inside / builds)
    within = _beyond(inside, len(rows) * sets * (builds - 1), rounds)
    return Placement(len(rows), *apart, *within, float(rounds) ** 0.5)


def _beyond(variance: float, freedom: int, known: float) -> tuple[float, float]:
    """(standard deviation that a variance leaves beyond a known part of it, its upper limit)"""
    from scipy import stats

    most = variance * freedom / stats.chi2.ppf(1 - LEVEL, freedom)
    return tuple(float(max(s2 - known, 0.0)) ** 0.5 for s2 in (variance, most))


def _squares(trial: Trial, arm: str, base: str) -> tuple[float, float, float]:
    """(variance of the processes' means, mean variance of their builds,
    mean square error of one build)
    """
    pairs = log_pairs(trial.visits(arm), trial.visits(base))
    effects = pairs.effects().reshape(-1, trial.facts["builds"])
    errors = [median_error(pairs.difference[pairs.generation == g]) for g in trial.generations]
    return (
        float(np.var(effects.mean(axis=1), ddof=1)),
        float(np.mean(np.var(effects, axis=1, ddof=1))),
        float(np.mean(np.square(errors))),
    )


def table_of(trials: Sequence[Trial]) -> str:
    """As Markdown, a row for each step; empty without a trial of several builds."""
    steps: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.facts.get("builds", 1) > 1:
            steps.setdefault(trial.facts["step"], []).append(trial)
    heading = [
        "step",
        "pairs",
        "sd of processes",
        "sd of builds within one",
        "noise of rounds",
        "start, s",
        "rebuild, s",
    ]
    return markdown(heading, [_row(step, found) for step, found in steps.items()]) if steps else ""


def _row(step: str, trials: Sequence[Trial]) -> list[str]:
    found = placement(trials)
    told = ((found.processes, found.processes_at_most), (found.builds, found.builds_at_most))
    shares = [*(f"{sd:.2%} (at most {most:.2%})" for sd, most in told), f"{found.rounds:.2%}"]
    seconds = [
        median(s for trial in trials for s in trial.facts[name])
        for name in ("starts_s", "rebuilds_s")
    ]
    return [step, str(found.n), *shares, *(f"{s:.1f}" for s in seconds)]
