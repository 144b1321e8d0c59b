"""Calls timed one by one, after the rounds of a case: for percentiles, which visits cannot tell."""

from math import ceil

from ..host.contention import flags
from ..protocol.keys import CellKey
from ..spec.phases import PURPOSES
from ..stats.flags import SINGLE
from .cells import Cells, Replace
from .plan import Case, Plan
from .pool import WorkerPool, visit_timeout_s
from .record import Record, RecordedVisit
from .visiting import sampler_of

TURN_S = 0.25
"""Of one arm, before it is the next one's turn: what disturbs the machine meets all of them."""


class SingleCalls:
    """Asks the workers of a pool for single calls, arms in turn."""

    def __init__(
        self, plan: Plan, pool: WorkerPool, cells: Cells, replace: Replace, record: Record
    ) -> None:
        self._plan, self._pool, self._cells = plan, pool, cells
        self._replace, self._record = replace, record

    def take(self, case: Case) -> None:
        """As many calls of every training step and inference as the run was asked for.

        What the kernel counts while they last is kept with them as flags, and none is dropped:
        the slowest calls are what percentiles are about.
        """
        wanted = self._plan.settings.single_calls
        keys = [
            CellKey(arm, case.key, phase)
            for phase, arms in self._cells.arms_by_phase(case).items()
            for arm in arms
            if phase in PURPOSES
        ]
        for _ in range(max((self._turns(key, wanted) for key in keys), default=0)):
            for key in keys:
                left = wanted - len(self._record.singles[key])
                if left > 0 and key not in self._record.failures:
                    self._turn(key, case, min(left, self._calls_a_turn(key)))

    def _turn(self, key: CellKey, case: Case, calls: int) -> None:
        sampler = sampler_of(self._plan, self._pool)
        before = sampler.read()
        with self._cells.costing_only(key, case, self._replace):
            timing = self._pool.timing(key.arm).within(visit_timeout_s(calls * self._call_s(key)))
            taken = timing.single_calls(case.name, key.phase, calls).seconds.tolist()
            marks = flags(before, sampler.read()) | SINGLE
            singles = self._record.singles[key]
            begin = len(singles)
            singles += [
                RecordedVisit(begin + place, 0, 1, seconds, marks)
                for place, seconds in enumerate(taken)
            ]

    def _calls_a_turn(self, key: CellKey) -> int:
        return max(int(TURN_S / self._call_s(key)), 1)

    def _turns(self, key: CellKey, wanted: int) -> int:
        return ceil(wanted / self._calls_a_turn(key))

    def _call_s(self, key: CellKey) -> float:
        return max(self._cells.call_s[key], 1e-7)
