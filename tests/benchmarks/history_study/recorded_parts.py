"""What is recorded of the parts: the trials of the proof, each as a run.

A trial has six generations of fresh processes and a control arm, as a run has; a sitting is some
of them in a row, on one machine.  So they show what lies within a run, between runs of an hour, and
between sittings, some of which are days apart.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dnnbench.stats.apart import Recorded, log_times
from dnnbench.stats.estimates import Visits, contended_rounds
from study import recordings
from study.trial import Trial

KINDS = ("same", "long", "quick", "on_lines")
"""Quiet kinds of one amount of work; loaded machines and frameworks are others."""
LEAST_FREE = 4
"""Degrees of freedom within sittings."""


@dataclass(frozen=True)
class MachineParts:
    """Of one machine and kind: standard deviations of a log time over the control's."""

    machine: str
    kind: str
    trials: int
    sittings: int
    days: int
    within: float
    runs: float
    between_sittings: float
    correlation: float
    """Of a trial with the next of its sitting."""


def recorded_parts() -> list[MachineParts]:
    """By machine and kind, where a sitting has two trials or more."""
    groups: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in recordings.read(recordings.FOLDER):
        if trial.kind in KINDS:
            groups[trial.facts["machine"], trial.kind].append(trial)
    parts = [_parts(*key, trials) for key, trials in groups.items()]
    return [part for part in parts if part is not None]


def _parts(machine: str, kind: str, trials: list[Trial]) -> MachineParts | None:
    """None of too few trials."""
    sitting = np.array([trial.sitting for trial in trials])
    if len(trials) - len(np.unique(sitting)) < LEAST_FREE:
        return None
    days = len({trial.facts["began"][:10] for trial in trials})
    return parts_of(machine, kind, [base_logs(trial) for trial in trials], sitting, days)


def parts_of(
    machine: str, kind: str, logs: Sequence[Sequence[float]], sitting: np.ndarray, days: int
) -> MachineParts:
    """Analysis of variance: trials in sittings.

    logs: of every trial its log times, one a generation.   sitting: of every trial its name.
    """
    means = np.array([np.mean(one) for one in logs])
    errors = np.array([np.var(one, ddof=1) / len(one) for one in logs])
    names, place, counts = np.unique(sitting, return_inverse=True, return_counts=True)
    free = len(logs) - len(names)
    centres = np.array([means[place == n].mean() for n in range(len(names))])
    residuals = means - centres[place]
    inside = float(np.square(residuals).sum() / free)
    runs = max(inside - errors.mean(), 0.0)
    sittings = 0.0
    if len(names) > 1:
        sittings = max(float(centres.var(ddof=1)) - float((inside / counts).mean()), 0.0)
    follows = [
        residuals[i] * residuals[i + 1]
        for i in range(len(logs) - 1)
        if sitting[i] == sitting[i + 1]
    ]
    return MachineParts(
        machine,
        kind,
        len(logs),
        len(names),
        days,
        float(np.sqrt(errors.mean())),
        float(np.sqrt(runs)),
        float(np.sqrt(sittings)),
        float(np.mean(follows) / inside) if follows else float("nan"),
    )


def base_logs(trial: Trial) -> np.ndarray:
    """Log times of the base over the control's, one a generation."""
    base = trial.visits(next(iter(trial.arms)))
    control = Visits(
        base.generation, base.round, 0 * base.position, trial.control_s.astype(float), base.flags
    )
    return log_times(Recorded(base, control, "", contended_rounds([base])), normal=True)
