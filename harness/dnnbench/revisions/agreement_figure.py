"""Whether a revision computes what the reference does: an answer without noise."""

from collections.abc import Iterator, Sequence

from ..agreement.status import Status
from ..execution.agreement_rows import unproven
from ..execution.plan_check import check_plan
from ..execution.request import make_plan
from ..execution.side_by_side import statuses
from ..host.lock import machine_lock
from ..stats.sequential import Side
from .bisection import Confirmed, Ends
from .figure import Figure
from .walk import SKIPPED, Visited


class AgreementFigure(Figure):
    """Agrees, or differs, in one workload on one arm."""

    def ends(self) -> Ends | str:
        sitting = self.sitting
        plan, datasets = make_plan(sitting.request, sitting.report)
        with machine_lock(wait_s=sitting.wait_s):
            wrong = unproven(check_plan(plan, datasets, sitting.report))
        reasons = []
        for arm in plan.arms:
            if arm.environment != sitting.environments[1]:
                continue
            for case in plan.cases:
                before = wrong.get((sitting.at_good(arm).name, case.workload.name))
                after = wrong.get((arm.name, case.workload.name))
                if before is not None:
                    reasons.append(f"the good end {before.sentence}")
                elif after is not None and after.status is Status.DIFFERS:
                    return Ends(arm, case.key, None, reason=after.reason)
                elif after is not None:
                    reasons.append(f"the bad end {after.sentence}")
        return "; ".join(reasons) or "the bad end computes what the reference does, as the good one"

    def visit(
        self, ends: Ends, environment: str, alpha: float, before: Sequence[str]
    ) -> Iterator[Visited]:
        good, bad = self.sitting.environments
        status = self._statuses(ends, (good, bad, environment))
        side, reason = _side_of(*status[environment])
        if not status[good][0].passes or status[bad][0] is not Status.DIFFERS:
            side, reason = Side.UNDECIDED, "the ends no longer differ as they did"
        yield Visited(0, side, reason=reason)

    def confirm(self, ends: Ends, environment: str, parent: str) -> Confirmed:
        status = self._statuses(ends, (parent, environment))
        before, (now, reason) = status[parent][0], status[environment]
        if before.passes and now is Status.DIFFERS:
            return Confirmed(True, reason=reason)
        return Confirmed(False, reason=f"checked again: {before} before it, {now} with it")

    def _statuses(self, ends: Ends, environments: Sequence[str]) -> dict[str, tuple[Status, str]]:
        sitting = self.sitting
        with machine_lock(wait_s=sitting.wait_s):
            return statuses(sitting.subject(ends), environments, sitting.report)


def _side_of(status: Status, reason: str) -> tuple[str, str]:
    """(side, why) of what a check says of a candidate."""
    if status is Status.DIFFERS:
        return Side.BAD, reason
    if status.passes and status is not Status.UNSUPPORTED:
        return Side.GOOD, ""
    return SKIPPED, reason or str(status)
