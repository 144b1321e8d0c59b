"""The cells of one generation: which can be visited, with how many calls,
and what the failure of one costs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import WorkerError
from ..protocol.arm import Arm
from ..protocol.keys import CellKey
from ..spec.phases import Phase
from ..worker.ended import WorkerLost
from .plan import Case, Plan
from .record import Record
from .reporter import Reporter

Replace = Callable[[Arm, Case], None]
"""Gives an arm whose worker was lost another one, with the case's program."""


class Cells:
    """What preparing finds out of each cell, and visiting and looking build upon.

    calls: calls a visit, frozen by the first generation that fills it
    call_s: seconds of a warm call
    unsettled: cells whose warm calls did not settle
    given_up: those that failed in an earlier generation
    """

    def __init__(
        self,
        plan: Plan,
        calls: dict[CellKey, int],
        given_up: set[CellKey],
        record: Record,
        report: Reporter,
    ) -> None:
        self.calls = calls
        self.call_s: dict[CellKey, float] = {}
        self.unsettled: set[CellKey] = set()
        self._plan, self._given_up = plan, given_up
        self._record, self._report = record, report

    def runnable(self, arm: Arm, case: Case) -> list[Phase]:
        """Phases of an arm that have neither failed nor are impossible."""
        out = self._given_up | self._record.without()
        keys = [CellKey(arm, case.key, phase) for phase in self._plan.phases(case)]
        return [key.phase for key in keys if key not in out]

    def arms_by_phase(self, case: Case) -> dict[Phase, list[Arm]]:
        """Arms of each phase that can be visited; phases without any are left out."""
        arms: dict[Phase, list[Arm]] = {phase: [] for phase in self._plan.phases(case)}
        for arm in self._plan.arms:
            for phase in self.runnable(arm, case):
                arms[phase].append(arm)
        return {phase: able for phase, able in arms.items() if able}

    @contextmanager
    def costing_only(self, key: CellKey, case: Case, replace: Replace) -> Iterator[None]:
        """What fails inside costs this cell.

        A worker that died is replaced for the arm's other phases.
        """
        try:
            yield
        except WorkerError as error:
            self._record.failures[key] = str(error)
            self._report.note(f"{key}: failed: {error}")
            if isinstance(error, WorkerLost) and self.runnable(key.arm, case):
                replace(key.arm, case)

    def refuse(self, arm: Arm, case: Case, reason: str) -> None:
        """Whatever of the case is still to be done, the arm says that it cannot do."""
        for phase in self.runnable(arm, case):
            self._record.unsupported[CellKey(arm, case.key, phase)] = reason
        self._report.note(f"{arm.name} {case.name}: unsupported: {reason}")

    def fail(self, arm: Arm, case: Case, reason: str) -> None:
        """Whatever of the case is still to be done fails on the arm."""
        for phase in self.runnable(arm, case):
            self._record.failures[CellKey(arm, case.key, phase)] = reason
        self._report.note(f"{arm.name} {case.name}: failed: {reason}")
