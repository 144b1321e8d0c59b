"""What keeps the intervals as wide as they are: processes, noise within them, contention.

And bias by position.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dnnbench.execution.split import PILOTS
from dnnbench.stats.estimates import log_pairs, mean_interval
from dnnbench.stats.split import components, pooled, tells_variances

from .judging import pairs_of
from .trial import Trial

NORMAL_MEDIAN = math.sqrt(math.pi / 2)
"""Standard error of a median over that of a mean, of normal values."""
MAD = 1.4826


@dataclass(frozen=True)
class Spread:
    """Of the A/A pairs of some trials, as shares.

    between: sd of D_g within a trial, over generations.
    within: the part of it that the noise of single rounds explains.
    half_width: median half-width of the 95 % interval.
    contended: share of the rounds.
    """

    between: float
    within: float
    half_width: float
    contended: float


def spread(trials: Sequence[Trial]) -> Spread | None:
    """None without A/A pairs of two generations."""
    rows = [
        _spread_of(trial, *pair)
        for trial in trials
        for pair in trial.pairs
        if trial.truth(*pair) == 0
    ]
    if not rows:
        return None
    between, within, half = np.array(rows).T
    contended = float(np.mean(np.concatenate([trial.contended for trial in trials])))
    return Spread(
        float(np.sqrt(np.mean(between**2))),
        float(np.sqrt(np.mean(within**2))),
        float(np.median(half)),
        contended,
    )


def _spread_of(trial: Trial, arm: str, base: str) -> tuple[float, float, float]:
    pairs = log_pairs(trial.visits(arm), trial.visits(base))
    effects = pairs.effects()
    errors = [median_error(pairs.difference[pairs.generation == g]) for g in trial.generations]
    return (
        float(np.std(effects, ddof=1)),
        float(np.sqrt(np.mean(np.square(errors)))),
        mean_interval(effects)[1],
    )


def planned(trial: Trial) -> int | None:
    """Generations that `--generations auto` makes of all the trial's visits,
    by the noise of its first three.

    None where these have too few rounds to tell.
    """
    visits_s = trial.facts["seconds_a_cell"] * len(trial.arms)
    pilots = [pairs_of(trial, *pair)[0].first(PILOTS) for pair in trial.pairs]
    start_s = float(np.median(trial.facts["starts_s"][:PILOTS]))
    each_s = visits_s / len(trial.generations)
    told = [components(pairs, each_s, start_s) for pairs in pilots if tells_variances(pairs.kept())]
    return pooled(told).generations_of(visits_s) if told else None


def median_error(values: np.ndarray) -> float:
    """Standard error of the median of independent values, from their median absolute deviation."""
    deviation = MAD * float(np.median(np.abs(values - np.median(values))))
    return NORMAL_MEDIAN * deviation / math.sqrt(len(values))


def order_bias(trials: Sequence[Trial]) -> list[float]:
    """Of each A/A pair: its log ratio where the arm came later minus where it came earlier.

    Medians over rounds.
    """
    found = []
    for trial in trials:
        for arm, base in trial.pairs:
            if trial.truth(arm, base) == 0:
                pairs = log_pairs(trial.visits(arm), trial.visits(base))
                later, earlier = (
                    pairs.difference[pairs.arm_later],
                    pairs.difference[~pairs.arm_later],
                )
                found.append(float(np.median(later) - np.median(earlier)))
    return found


def by_position(trials: Sequence[Trial]) -> np.ndarray:
    """Of each trial and position: how much longer a visit takes there, log, median over rounds;
    (trials, positions).

    Each visit against its own arm's median, so that slower arms do not pass for slower positions.
    """
    rows = []
    for trial in trials:
        logs = np.log(trial.seconds.astype(float))
        for g in trial.generations:
            mine = trial.generation == g
            logs[mine] -= np.median(logs[mine], axis=0)
        logs -= np.median(logs, axis=1, keepdims=True)
        places = range(trial.position.shape[1])
        rows.append([float(np.median(logs[trial.position == place])) for place in places])
    return np.array(rows)


def with_interval(values: Sequence[float]) -> str:
    """As "+0.01 % (-0.02 to +0.04 %)": mean over trials and its 95 % interval, of logs.

    Of one value, that alone.
    """
    mean, half = mean_interval(values)
    if math.isnan(half):
        return f"{mean:+.3%}"
    return f"{mean:+.3%} ({mean - half:+.3%} to {mean + half:+.3%})"
