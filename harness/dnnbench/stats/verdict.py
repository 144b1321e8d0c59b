"""Faster, slower, the same, or undecided: said only when nothing that was measured
speaks against it.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import permutations

import numpy as np

from .dead_zone import THETA as THETA
from .distributions import spearman, t_tail
from .estimates import Estimate, Pairs, Ratio, smallest_difference

ALPHA = 0.01
STRONG_RHO = 0.5
FEW = 7
WIDEST = 10.0
"""Upper over lower end beyond which an interval that decides nothing is not shown."""
APART = "its generations lie too far apart"


class Verdict(StrEnum):
    """What a run says of an arm against the base; a confirmation of a gate has words of its own."""

    FASTER = "FASTER"
    SLOWER = "SLOWER"
    SAME = "SAME"
    UNDECIDED = "UNDECIDED"
    NOT_RANKED = "NOT RANKED"
    CONFIRMED = "CONFIRMED SLOWER"
    NOT_CONFIRMED = "NOT CONFIRMED"


@dataclass(frozen=True)
class Finding:
    """A cell's verdict with its reason, which is empty only where the verdict needs none."""

    verdict: Verdict | None
    """None where there is none to give."""
    reason: str = ""
    overruled: bool = False
    """Whether something speaks against the interval itself, so that it is not shown as one."""


def judge(
    pairs: Pairs, measured: Ratio, theta: float = THETA, control: Estimate | None = None
) -> Finding:
    """The finding on an arm, from its log pairs with the base and the ratio that they gave.

    SLOWER: the interval lies above 1 + theta; FASTER: below 1 / (1 + theta); SAME: inside; else
    UNDECIDED. Contention, drift and a moved control arm turn any of the first three into UNDECIDED;
    drift only where it is large enough to reach it.
    Who came first is part of the estimate (`Pairs.effects`), and no doubt beside it.
    control: the control arm's time beside this arm over that beside the base,
    where the two were measured apart.
    """
    if measured.estimate.generations < 2:
        return Finding(Verdict.UNDECIDED, too_few(measured))
    finding = place(measured.estimate, theta)
    if finding.overruled:
        fastest = f"{math.exp(min(measured.effects)):#.3g}"
        slowest = f"{math.exp(max(measured.effects)):#.3g}"
        return replace(
            finding,
            reason=f"{finding.reason}: they took {fastest} to {slowest} times as long "
            "as the base's",
        )
    if finding.verdict == Verdict.UNDECIDED:
        least = smallest_difference(measured.effects, theta)
        return Finding(
            Verdict.UNDECIDED,
            f"{finding.reason}; this run could have seen differences from {least:.1%} on",
        )
    reason = doubt(pairs, measured, theta, control)
    return Finding(Verdict.UNDECIDED, reason, overruled=True) if reason else finding


def doubt(
    pairs: Pairs, measured: Ratio, theta: float = THETA, control: Estimate | None = None
) -> str:
    """The first that speaks against a ratio: contention, drift, a moved control arm.

    Empty if none does.
    """
    return (
        contention_doubt(measured.estimate, measured.everything)
        or drift_doubt(pairs, measured.estimate, theta)
        or (control_doubt(control, theta) if control else "")
    )


def too_few(measured: Ratio) -> str:
    """Why a ratio of under two generations has no interval."""
    if measured.estimate.generations == 1:
        return "one generation gives no interval"
    if measured.rounds:
        return "every round met contention from outside"
    return "never visited in one round with the base"


def place(estimate: Estimate, theta: float = THETA) -> Finding:
    """Where an interval of a ratio lies, against the dead zone 1 / (1 + theta) to 1 + theta."""
    if estimate.low > 1 + theta:
        return Finding(Verdict.SLOWER)
    if estimate.high < 1 / (1 + theta):
        return Finding(Verdict.FASTER)
    if estimate.low >= 1 / (1 + theta) and estimate.high <= 1 + theta:
        return Finding(Verdict.SAME)
    if too_wide(estimate):
        return Finding(Verdict.UNDECIDED, APART, overruled=True)
    return Finding(
        Verdict.UNDECIDED,
        f"the interval {estimate.low - 1:+.1%} to {estimate.high - 1:+.1%} crosses ±{theta:.1%}",
    )


def too_wide(estimate: Estimate) -> bool:
    """Whether an interval is no figure to show."""
    return estimate.high > WIDEST * estimate.low


def contention_doubt(kept: Estimate, everything: Estimate) -> str:
    """A reason if dropping the contended rounds moved a ratio by more than its half-width,
    in logarithms.
    """
    moved = abs(math.log(kept.value / everything.value))
    if moved <= math.log(kept.high / kept.low) / 2:
        return ""
    return (
        f"contention: {kept.value:.3f} without the contended rounds, {everything.value:.3f} "
        "with them"
    )


def _reaches(shift: float, estimate: Estimate, theta: float) -> bool:
    """Whether an error of this size, in logarithms, could carry the interval to another verdict."""
    factor = math.exp(abs(shift))
    wider = Estimate(
        estimate.value, estimate.low / factor, estimate.high * factor, estimate.generations
    )
    return place(wider, theta).verdict != place(estimate, theta).verdict


def drift_doubt(pairs: Pairs, estimate: Estimate, theta: float = THETA) -> str:
    """A reason if the log ratio drifts with time: Spearman |rho| > 0.5 and p < 0.01.

    Asked within generations (each centred on its own median, or the speed of a process would pass
    for a drift; every median costs a degree of freedom) and again between them.
    It moved by the median of the last third of the rounds, or of the generations,
    minus that of the first.
    """
    kept = pairs.kept()
    effects = kept.effects()
    time, change = _centred(kept.generation, kept.round), _centred(kept.generation, kept.difference)
    rho, _ = _spearman(time, change)
    within = rho, _p_of(rho, len(kept.round) - len(effects)), _moved(time, change)
    between = *_spearman(np.arange(len(effects)), effects), _moved(np.arange(len(effects)), effects)
    for (rho, p, moved), where in (
        (within, "within generations"),
        (between, "from generation to generation"),
    ):
        if abs(rho) > STRONG_RHO and p < ALPHA and _reaches(moved, estimate, theta):
            return f"drift: the ratio moves with time {where} (rho {rho:+.2f}, p {p:.1g})"
    return ""


def control_doubt(control: Estimate, theta: float = THETA) -> str:
    """A reason if the control arm's ratio, whose truth is 1, lies off it by more than theta
    for certain.
    """
    if place(control, theta).verdict not in (Verdict.SLOWER, Verdict.FASTER):
        return ""
    return (
        f"the control arm moved by {control.value - 1:+.1%}: the machine was not in the same state"
    )


def _centred(generation: np.ndarray, values: np.ndarray) -> np.ndarray:
    centred = values.astype(float)
    for g in np.unique(generation):
        centred[generation == g] -= np.median(centred[generation == g])
    return centred


def _moved(time: np.ndarray, values: np.ndarray) -> float:
    """Median of the values in the last third of the time minus that in the first.

    0 where there is no third.
    """
    third = len(values) // 3
    if not third:
        return 0.0
    ordered = values[np.argsort(time, kind="stable")]
    return float(np.median(ordered[-third:]) - np.median(ordered[:third]))


def _spearman(time: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """(rho, p); no correlation where there is nothing to correlate."""
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(time) == 0:
        return 0.0, 1.0
    rho, p = spearman(time, values)
    if len(values) <= FEW:
        return rho, _exact_p(rho, len(values))
    return rho, p


def _p_of(rho: float, freedom: int) -> float:
    """Two-sided p of a correlation by Student's t: t = rho sqrt((f - 1) / (1 - rho^2)) with f - 1
    degrees of freedom.
    """
    if freedom < 2:
        return 1.0
    t = abs(rho) * math.sqrt((freedom - 1) / max(1 - rho**2, 1e-12))
    return 2 * t_tail(t, freedom - 1)


def _exact_p(rho: float, count: int) -> float:
    """Share of all orders of `count` values that correlate as strongly.

    The usual p is 0 for any monotone three.
    """
    ranks = np.arange(count)
    orders = np.array(list(permutations(ranks)))
    rhos = 1 - 6 * ((orders - ranks) ** 2).sum(axis=1) / (count * (count**2 - 1))
    return float(np.mean(np.abs(rhos) >= abs(rho) - 1e-9))
