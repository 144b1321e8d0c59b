"""The stages of a gate: what looks slower is flagged, and only fresh generations may confirm it.

Screening many cells and failing for the worst of them would raise an alarm in every noisy run.
So the screen only chooses; the verdict comes from generations that had no part in the choice,
which makes each p value a plain one, and Holm's correction over what was chosen keeps the chance
of a single false alarm below alpha.

A second confirmation may take the cells that the first left undecided. Each of the two has half of
alpha, so that the chance of a false alarm in either is at most their sum, whatever the first said.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .distributions import t_tail
from .estimates import NOTHING, Estimate, Pairs, Ratio, ratio, smallest_difference
from .verdict import APART, THETA, Finding, Verdict, doubt, too_few, too_wide

FAMILY_ALPHA = 0.01
"""Chance that a gate between equals fails, at most, whatever the number of cells."""
NO_PAIRS = Pairs(NOTHING, NOTHING, np.empty(0), np.empty(0, bool), np.empty(0, bool))


def is_flagged(screen: Estimate, theta: float = THETA) -> bool:
    """Whether a cell must be confirmed: the screen's ratio itself lies above 1 + theta,
    whatever its interval.

    Every SLOWER is flagged, and so is an UNDECIDED that leans to the slow side,
    by a wide interval or by a doubt.
    Flagging only SLOWER would lose power twice, since both stages would demand certainty.
    Flagging whatever an interval does not exclude would confirm nearly everything on a noisy
    machine, at twice the time and with a family so large that Holm's first threshold
    is out of reach; and a ratio below 1 + theta is very rarely one that the confirmation,
    which wants far more than 1 + theta, would have confirmed.
    """
    return screen.value > 1 + theta


def slower_p(effects: Sequence[float], theta: float = THETA) -> float:
    """One-sided p value of "not slower by more than theta", from D_g, one log ratio a generation.

        T = (mean(D_g) - log(1 + theta)) / (sd(D_g) / sqrt(G)),  p = P(t(G-1) >= T)

    1 below two generations, which can show nothing.
    """
    count = len(effects)
    if count < 2:
        return 1.0
    excess = float(np.mean(effects)) - math.log1p(theta)
    spread = float(np.std(effects, ddof=1)) / math.sqrt(count)
    if spread == 0:
        return 0.0 if excess > 0 else 1.0
    return t_tail(excess / spread, count - 1)


@dataclass(frozen=True)
class Step:
    """One hypothesis of a family: its p value, what Holm's procedure held it against,
    and the outcome.
    """

    p: float
    threshold: float
    rejected: bool


def holm(p_values: Sequence[float], alpha: float = FAMILY_ALPHA) -> list[Step]:
    """Holm's step-down procedure; a Step for each p value, in the order given.

        p(1) <= ... <= p(m);  reject p(1), p(2), ... as long as p(i) <= alpha / (m - i + 1)

    The chance of rejecting any true hypothesis is at most alpha, however the tests depend
    on each other.
    Source: S. Holm, Scandinavian Journal of Statistics 6 (1979) 65.
    """
    count = len(p_values)
    steps: dict[int, Step] = {}
    rejecting = True
    for rank, place in enumerate(sorted(range(count), key=p_values.__getitem__)):
        threshold = alpha / (count - rank)
        rejecting = rejecting and p_values[place] <= threshold
        steps[place] = Step(p_values[place], threshold, rejecting)
    return [steps[place] for place in range(count)]


@dataclass(frozen=True)
class FlaggedCell:
    """A flagged cell in fresh generations.

    `objection` says what speaks against believing its pairs.
    """

    pairs: Pairs = NO_PAIRS
    objection: str = ""
    theta: float | None = None
    """The slowdown that passes of this cell; None for that of the family."""


@dataclass(frozen=True)
class Confirmation:
    """What became of a flagged cell: CONFIRMED SLOWER or NOT CONFIRMED, with the reason.

    estimate: of the ratio to the base, in the fresh generations.
    answered: whether the generations could tell anything;
    p is no evidence of speed where they could not.
    smallest_difference: the true slowdown, as a fraction, that four such confirmations
    in five would find.
    """

    estimate: Estimate
    step: Step
    finding: Finding
    answered: bool
    smallest_difference: float

    @property
    def confirmed(self) -> bool:
        """Whether the cell is slower for certain."""
        return self.finding.verdict == Verdict.CONFIRMED

    def is_undecided(self, theta: float) -> bool:
        """Whether the cell may still be slower by more than `theta`: it is not confirmed, and no
        interval to be believed lies below 1 + theta.
        """
        believed = self.answered and not self.finding.overruled
        excluded = believed and self.estimate.high <= 1 + theta  # NaN excludes nothing
        return not (self.confirmed or excluded)


def confirm(
    flagged: Sequence[FlaggedCell], theta: float = THETA, alpha: float = FAMILY_ALPHA
) -> list[Confirmation]:
    """Test every flagged cell on its fresh generations alone; all of them are one family.

    A rejection is confirmed unless contention, drift or an objection speaks against it,
    which can only lower the family's error.
    A cell without pairs stays in the family with p = 1.
    """
    ratios = [ratio(cell.pairs) for cell in flagged]
    thetas = [theta if cell.theta is None else cell.theta for cell in flagged]
    p_values = [slower_p(each.effects, own) for each, own in zip(ratios, thetas, strict=True)]
    steps = holm(p_values, alpha)
    return [_confirmation(*one) for one in zip(flagged, ratios, steps, thetas, strict=True)]


def _confirmation(cell: FlaggedCell, measured: Ratio, step: Step, theta: float) -> Confirmation:
    reason = _why_not(cell, measured, step, theta)
    doubted = bool(cell.objection) or step.rejected or too_wide(measured.estimate)
    overruled = doubted and measured.estimate.generations >= 2
    finding = (
        Finding(Verdict.NOT_CONFIRMED, reason, overruled) if reason else Finding(Verdict.CONFIRMED)
    )
    answered = measured.estimate.generations >= 2 and not cell.objection
    smallest = smallest_difference(measured.effects, theta, alpha=step.threshold)
    return Confirmation(measured.estimate, step, finding, answered, smallest)


def _why_not(cell: FlaggedCell, measured: Ratio, step: Step, theta: float) -> str:
    """What speaks against confirming a slowdown; empty if nothing does."""
    if cell.objection:
        return cell.objection
    if measured.estimate.generations < 2:
        return too_few(measured)
    if not step.rejected and too_wide(measured.estimate):
        return APART
    if step.rejected:
        return doubt(cell.pairs, measured, theta)
    if step.p > step.threshold:
        return f"p = {step.p:.2g} is above {step.threshold:.2g}"
    return f"p = {step.p:.2g}, but a smaller one of this family is above its own threshold"
