"""The tables of the page: counted from outcomes, each claim with its n and its bound."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from dnnbench.stats.flags import PRESSURE, STEAL, SWITCHED, THROTTLED
from dnnbench.stats.verdict import Verdict
from table import markdown

from . import coverage, outcomes
from .ablations import ABLATIONS
from .bounds import NONE, Count
from .outcomes import count, label
from .side_by_side import EXTRAS, Beside
from .trial import Trial

if TYPE_CHECKING:
    import pandas as pd

Frames = Mapping[float | str, "pd.DataFrame"]
"""Of `outcomes`, by seconds a cell or by kind."""
FLAGS = {
    "stolen time": STEAL,
    "CPU pressure": PRESSURE,
    "throttled": THROTTLED,
    "CPU lost over 100 times a second": SWITCHED,
}
POWER_FROM = 0.05
"""Extra work from which SLOWER is right; below, it is an alarm."""
HEADING = ["extra work", *(f"{extra:+.0%}" if extra else "none (A/A)" for extra in EXTRAS)]


def verdicts(frames: Frames) -> str:
    """How often each verdict came, for each amount of extra work and seconds a cell or kind."""
    return _by_extra(frames, _said)


def gates(frames: Frames) -> str:
    """How often the second stage confirmed a slowdown, and how often the first one flagged it."""
    return _by_extra(frames, _confirmed)


def confirmations(rows: Mapping[float | str, Frames]) -> str:
    """How often each way to confirm called an arm slower, of the same comparisons."""
    body = [
        [label(row), name, *_cells(found, _confirmed_of)]
        for row, frames in rows.items()
        for name, found in frames.items()
        if len(found)
    ]
    return markdown(["visits a cell", "confirmations", *HEADING[1:]], body)


def covers(frames: Frames) -> str:
    """Coverage of both truths, bias and error."""
    rows = []
    for seconds, found in frames.items():
        for extra in EXTRAS:
            part = _part(found, extra)
            if len(part):
                numbers = (f"{coverage.bias(part):+.2%}", f"{coverage.rms_error(part):.2%}")
                counts = (coverage.nominal(part).between(), coverage.against_pooled(part).between())
                rows.append(
                    [label(seconds), f"{extra:+.0%}" if extra else "A/A", *counts, *numbers]
                )
    return markdown(
        [
            "visits a cell",
            "extra work",
            "holds log(1 + x)",
            "holds the mean of all trials",
            "bias",
            "rms error",
        ],
        rows,
    )


def ablated(trials: Sequence[Trial]) -> str:
    """Each default left out: both errors, UNDECIDED, coverage, width, error."""
    rows = []
    for name, rule in ABLATIONS.items():
        found = outcomes.judged(trials, rule)
        if len(found):
            rows.append([name, *_errors(found)])
    heading = [
        "rule",
        "A/A not SAME and not UNDECIDED",
        "+2 % SLOWER",
        "+5 % SLOWER",
        "+10 % SLOWER",
        "UNDECIDED",
        "coverage",
        "half-width",
        "rms error",
    ]
    return markdown(heading, rows)


def _errors(found) -> list[str]:
    alarms = count(_part(found, 0.0)["said"].isin((Verdict.SLOWER, Verdict.FASTER)))
    power = [count(_part(found, extra)["said"] == Verdict.SLOWER) for extra in (0.02, 0.05, 0.10)]
    undecided = count(found["said"] == Verdict.UNDECIDED)
    half_width = float(((found["high"] / found["low"]).map(math.log) / 2).median())
    return [
        alarms.at_most(),
        *(one.at_least() for one in power),
        f"{undecided.share:.0%}",
        coverage.nominal(found).between(),
        f"{half_width:.2%}",
        f"{coverage.rms_error(found):.2%}",
    ]


def flagged(trials: Sequence[Trial]) -> str:
    """Share of each kind's rounds that every counter of contention flagged."""
    flags: dict[str, list[np.ndarray]] = {}
    for trial in trials:
        flags.setdefault(trial.kind, []).append(trial.flags.astype(int))
    rows = []
    for kind, parts in flags.items():
        rounds = np.concatenate(parts)
        rows.append(
            [
                kind,
                f"{len(rounds):,}",
                *(f"{np.mean(rounds & flag != 0):.2%}" for flag in FLAGS.values()),
            ]
        )
    return markdown(["kind", "rounds", *FLAGS], rows)


def peers(rows: Sequence[Beside]) -> str:
    """How often each rule calls the arm slower."""
    heading = ["rule", "visits", "seconds a side", *HEADING[1:]]
    told = [
        [row.rule, row.order, f"{row.seconds:g}", *(_bounded(*one) for one in row.slower.items())]
        for row in rows
    ]
    return markdown(heading, told)


def _by_extra(frames: Frames, tell: Callable[["pd.DataFrame", float], str]) -> str:
    rows = [[label(trials), *_cells(found, tell)] for trials, found in frames.items() if len(found)]
    return markdown(HEADING, rows)


def _cells(found: "pd.DataFrame", tell: Callable[["pd.DataFrame", float], str]) -> list[str]:
    """A cell for each amount of extra work."""
    parts = [(_part(found, extra), extra) for extra in EXTRAS]
    return [tell(part, extra) if len(part) else NONE for part, extra in parts]


def _said(found, extra: float) -> str:
    """As "SAME 100, UNDECIDED 1 (alarms at most 2.9 %)": the commonest first,
    and the limit of the one that counts.
    """
    came = ", ".join(f"{text} {times}" for text, times in found["said"].value_counts().items())
    if extra >= POWER_FROM:
        return f"{came} (SLOWER at least {count(found['said'] == Verdict.SLOWER).lower:.0%})"
    return (
        f"{came} "
        f"(alarms at most {count(found['said'].isin((Verdict.SLOWER, Verdict.FASTER))).upper:.1%})"
    )


def _confirmed(found, extra: float) -> str:
    return f"{_bounded(extra, count(found['confirmed']))}; flagged {count(found['flagged']).hits}"


def _confirmed_of(found, extra: float) -> str:
    return _bounded(extra, count(found["confirmed"]))


def _bounded(extra: float, found: Count) -> str:
    """An error's count with its upper limit, a success's with its lower one."""
    return found.at_least() if extra >= POWER_FROM else found.at_most()


def _part(found, extra: float):
    return found[found["extra"] == extra]
