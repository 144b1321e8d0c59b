"""Rounds of a case: every arm visited in turn, and the control beside them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..host.clock import now
from ..host.contention import WAITED_SHARE, Sampler, flags, switches_per_s
from ..host.gpus import watch
from ..protocol.keys import CellKey
from ..spec.phases import Phase
from ..stats.flags import UNSETTLED, WAITED
from ..worker.services.timing import Visit, VisitRequest
from .cells import Cells, Replace
from .plan import Case, Plan
from .pool import WorkerPool, visit_timeout_s
from .record import Record, RecordedVisit
from .reporter import Reporter
from .rounds import Round, schedule, thinning

CONTROL_CALLS = 10
NOOP_CALLS = 100


class _Taken(NamedTuple):
    """A visit before its round's flags are known, and the list that it belongs to."""

    visits: list[RecordedVisit]
    visit: RecordedVisit


def sampler_of(plan: Plan, pool: WorkerPool) -> Sampler:
    """Watches the CPUs, the workers, and the GPU if the arms compute on one."""
    gpus = {arm.device.index for arm in plan.arms if arm.device.kind == "gpu"}
    gpu = watch(min(gpus), pool.pids) if gpus else None
    return Sampler(pool.cpus, switches=pool.switches, gpu=gpu, pauses=pool.pauses)


class Visiting:
    """Visits the programs that a pool's workers hold.

    seed: draws the order of the visits   name: of the generation, for the reader who waits
    """

    def __init__(
        self,
        plan: Plan,
        pool: WorkerPool,
        cells: Cells,
        replace: Replace,
        record: Record,
        report: Reporter,
        seed: int,
        name: str,
    ) -> None:
        self._plan, self._pool, self._cells, self._replace = plan, pool, cells, replace
        self._record, self._report, self._seed, self._name = record, report, seed, name

    def visit(self, case: Case, seconds: float) -> None:
        """Rounds until so many seconds are used; at least one."""
        rounds = self._schedule(case)
        sampler, begin, last = sampler_of(self._plan, self._pool), now(), now()
        for phases in rounds:
            self._round(case, self._due(case, phases), sampler)
            time = now()
            self._report.advance(
                time - last, f"{self._name}: {case.name}, round {self._record.rounds}"
            )
            last = time
            if time - begin >= seconds or not self._cells.arms_by_phase(case):
                return

    def _schedule(self, case: Case) -> Iterator[Round[Phase]]:
        """Rounds without end, of arms by their names; slow ones come in every so many."""
        names: dict[Phase, list[str]] = {}
        every: dict[tuple[Phase, str], int] = {}
        for phase, arms in self._cells.arms_by_phase(case).items():
            names[phase] = [arm.name for arm in arms]
            keys = [CellKey(arm, case.key, phase) for arm in arms]
            visit_s = {
                key.arm.name: self._cells.calls[key] * self._cells.call_s[key] for key in keys
            }
            every |= {(phase, name): n for name, n in thinning(visit_s).items()}
        return schedule(names, self._seed, every)

    def _due(self, case: Case, phases: Round[Phase]) -> list[tuple[CellKey, int]]:
        """(cell, its position among the phase's arms) of everything that a round visits."""
        arms = {arm.name: arm for arm in self._plan.arms}
        due: list[tuple[CellKey, int]] = []
        for phase, names in phases:
            keys = [CellKey(arms[name], case.key, phase) for name in names]
            due += [(key, position) for position, key in enumerate(keys)]
        return due

    def _round(self, case: Case, due: Sequence[tuple[CellKey, int]], sampler: Sampler) -> None:
        """Visit every cell that is due, and the control.

        Rounds are numbered through the generation.
        """
        before = sampler.read()
        taken = self._visits(case, due)
        if (seconds := self._pool.control(CONTROL_CALLS)) is not None:
            visit = RecordedVisit(self._record.rounds, len(due), CONTROL_CALLS, seconds, 0)
            taken.append(_Taken(self._record.control, visit))
        if (seconds := self._pool.noop(NOOP_CALLS, self._plan.settings.timing)) is not None:
            self._record.noop_call_s.append(seconds / NOOP_CALLS)
        after = sampler.read()
        if (rate := switches_per_s(before, after)) is not None:
            self._record.switches_per_s.append(rate)
        contended = flags(before, after)
        for visits, visit in taken:
            visits.append(visit._replace(flags=contended | visit.flags))
        self._record.rounds += 1

    def _visits(self, case: Case, due: Sequence[tuple[CellKey, int]]) -> list[_Taken]:
        taken: list[_Taken] = []
        for key, position in due:
            if key in self._record.failures:
                continue
            with self._cells.costing_only(key, case, self._replace):
                calls = self._cells.calls[key]
                visit = self._ask(case, key, calls)
                row = RecordedVisit(
                    self._record.rounds, position, calls, visit.seconds, self._mark(key, visit)
                )
                taken.append(_Taken(self._record.visits[key], row))
        return taken

    def _ask(self, case: Case, key: CellKey, calls: int) -> Visit:
        limit_s = visit_timeout_s(calls * self._cells.call_s[key])
        request = VisitRequest(case.name, key.phase, calls, self._plan.settings.timing)
        return self._pool.timing(key.arm).within(limit_s).visit(request)

    def _mark(self, key: CellKey, visit: Visit) -> int:
        """The flags of a visit alone; those of its round come on top."""
        unsettled = UNSETTLED if key in self._cells.unsettled else 0
        waited = WAITED if visit.waited_share > WAITED_SHARE else 0
        return unsettled | waited
