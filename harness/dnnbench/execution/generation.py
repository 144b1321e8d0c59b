"""One generation of a run: fresh processes, every arm visited in turn, round by round."""

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..data.dataset import Dataset
from ..errors import PluginError, WorkerError
from ..host.clock import now, read_cost_s
from ..host.contention import WAITED_SHARE, Sampler, flags, switches_per_s
from ..host.gpus import watch
from ..host.idle import NOISY_SHARE
from ..protocol.arm import Arm
from ..protocol.keys import CellKey, ProgramKey
from ..spec.costs import memory_parts
from ..spec.phases import PIECES, PURPOSES, Phase
from ..stats.flags import UNSETTLED, WAITED
from ..worker.audit import late_fault
from ..worker.process import WorkerLost
from ..worker.services.timing import BuildRequest, Built, VisitRequest
from .batch import timing_batch
from .batching import calls_per_visit
from .facts import AuditFacts, FirstCall, ProgramMemory, audit_facts
from .parallel import in_parallel
from .peaks import better, near_peak
from .plan import CONTROL, Case, Plan
from .pool import WorkerPool, visit_timeout_s
from .record import Record, RecordedVisit
from .reporter import Reporter
from .rounds import schedule, starting_order, thinning

CONTROL_CALLS = 10
NOOP_CALLS = 100
MOST_RESTARTS = 2
"""How often an arm's worker is started again within one case of a generation."""


class Generation:
    """Measures every case of a plan with one fresh pool. Whatever ends it, the record holds what was measured.

    calls: calls a visit by cell, frozen by the first generation that fills it.
    given_up: cells that failed in an earlier generation and are left out.
    record: what is filled; its rounds go on from those of the pools before, where arms cannot all be up at once.
    cache: folder of the compile caches; None for the user's.
    """

    def __init__(
        self,
        plan: Plan,
        datasets: Mapping[str, Dataset],
        number: int,
        calls: dict[CellKey, int],
        given_up: set[CellKey],
        record: Record,
        report: Reporter,
        cache: Path | None = None,
    ):
        self._seed = plan.settings.seed * 1000 + number
        self._plan = replace(plan, arms=tuple(starting_order(plan.arms, self._seed)))
        self._datasets, self._number, self._cache = datasets, number, cache
        self._calls, self._given_up, self._report = calls, given_up, report
        self._seconds: dict[CellKey, float] = {}
        self._unsettled: set[CellKey] = set()
        self._read_cost_s = read_cost_s()
        self._restarts = dict.fromkeys((arm.name for arm in plan.arms), 0)
        self._record = record

    def run(self, seconds: float) -> None:
        """Start the pool, measure every case for its share of the seconds, end the pool."""
        with WorkerPool(self._plan, f"generation{self._number}", self._cache, self._record.versions) as pool:
            self._report.advance(0, f"generation {self._number + 1}: starting {len(self._plan.arms)} workers")
            pool.start()
            self._record.versions |= pool.versions
            for case in self._plan.cases:
                self._prepare(pool, case)
                self._visit_rounds(pool, case, seconds / len(self._plan.cases))
                for arm in self._plan.arms:
                    self._finish(pool, arm, case)
            if self._number == 0:
                self._find_peaks(pool)
                if near_peak(self._plan, self._record):
                    self._find_peaks(pool)  # it may have been the peak that was measured too low
                    self._audit_rates(pool)

    def _find_peaks(self, pool: WorkerPool) -> None:
        """The roofline of this machine, asked of every arm in turn; an arm that cannot tell says why and costs nothing.

        Asked again, the better rate counts.
        """
        for arm in self._plan.arms:
            self._report.advance(0, f"generation {self._number + 1}: best rates of {arm.name}")
            try:
                peaks = pool.timing(arm).machine_peaks()
                self._record.machine_peaks[arm] = better(self._record.machine_peaks.get(arm), peaks)
            except WorkerError as error:
                self._report.note(f"{arm.name}: its best rates are unknown: {error}")

    def _audit_rates(self, pool: WorkerPool) -> None:
        """Build what lies near or above the best rate once more, and see whether it does the work of every call."""
        for arm, case, phase in near_peak(self._plan, self._record):
            key, trains = CellKey(arm, case.key, phase), not case.workload.inference_only
            self._report.advance(0, f"generation {self._number + 1}: {key}: auditing its rate")
            try:
                self._ask_to_build(pool, arm, case)
                timing = pool.timing(arm)
                timing.warm_up(case.name, phase)
                audit = audit_facts(timing.audit_rate(case.name, phase, self._calls[key], trains).to_json())
                timing.drop(case.name)
            except WorkerError as error:
                audit = AuditFacts(error=str(error))
            self._record.cells[key].rate_audit = audit
            for fault in audit.faults:
                self._report.note(f"{key}: {fault}")

    def _prepare(self, pool: WorkerPool, case: Case) -> None:
        """Build and call first, several arms at once; warm up one after the other, as they will be visited."""
        self._report.advance(0, f"generation {self._number + 1}: building {case.name}")
        self._restarts = dict.fromkeys(self._restarts, 0)
        in_parallel(lambda arm: self._build(pool, arm, case), self._plan.arms, pool.at_once)
        for arm in self._plan.arms:
            self._warm_up(pool, arm, case)
        self._quiesce(pool, case)

    def _quiesce(self, pool: WorkerPool, case: Case) -> None:
        """See that nobody burns CPU while another is measured, and record how much each did."""
        for name, share in pool.quiesce().items():
            self._note_idle(name, case, round(share, 4))
            if share > NOISY_SHARE:
                self._report.note(
                    f"{name} {case.name}: burns {share:.0%} of a CPU while it waits; stopped between visits"
                )

    def _note_idle(self, name: str, case: Case, share: float) -> None:
        arms = {arm.name: arm for arm in self._plan.arms}
        if name == CONTROL:
            self._record.control_idle_cpu[case.key] = share
        else:
            self._record.programs[ProgramKey(arms[name], case.key)].idle_cpu = share

    def _build(self, pool: WorkerPool, arm: Arm, case: Case) -> None:
        """Build the case on its arm and time every phase's first call."""
        try:
            built = self._ask_to_build(pool, arm, case)
        except WorkerError as error:
            self._lose(arm, case, str(error), unsupported=error.kind == PluginError.__name__)
            return
        self._record.programs[ProgramKey(arm, case.key)].description = built.description.to_json()
        for phase in self._runnable(arm, case):
            if phase in PIECES and phase not in built.pieces:
                self._record.unsupported[CellKey(arm, case.key, phase)] = f"{arm.name} cannot run this piece alone"
                continue
            with self._costing_only(pool, arm, case, phase):
                seconds = pool.timing(arm).first_call(case.name, phase)
                self._note_first_call(pool, arm, case, phase, built.build_s, seconds)

    def _ask_to_build(self, pool: WorkerPool, arm: Arm, case: Case) -> Built:
        """What the arm's worker says of the program that it built, and holds under the case's name."""
        settings = self._plan.settings
        batch = timing_batch(self._datasets[case.workload.name], case.batch_size, settings.seed)
        pool.respawn(arm)
        return pool.timing(arm).build(
            BuildRequest(case.name, case.workload, case.weights, batch, settings.seed)
        )

    def _note_first_call(self, pool: WorkerPool, arm: Arm, case: Case, phase: Phase, build_s: float, seconds: float) -> None:
        facts = self._record.cells[CellKey(arm, case.key, phase)]
        if facts.first_call is None:  # a replaced worker's is not the first
            facts.first_call = FirstCall(pool.import_s[arm.name], build_s, seconds)

    def _warm_up(self, pool: WorkerPool, arm: Arm, case: Case) -> None:
        for phase in self._runnable(arm, case):
            key = CellKey(arm, case.key, phase)
            with self._costing_only(pool, arm, case, phase):
                warm = pool.timing(arm).warm_up(case.name, phase)
                self._seconds[key] = warm.seconds
                calls = self._calls_alike(arm, case, phase) or calls_per_visit(warm.seconds, self._read_cost_s)
                self._calls.setdefault(key, calls)
                if not warm.settled:
                    self._unsettled.add(key)

    def _calls_alike(self, arm: Arm, case: Case, phase: Phase) -> int | None:
        """Calls a visit of an arm that differs from this one in its environment only: both are timed alike."""
        bare = replace(arm, environment="", twin=False)
        alike = [other for other in self._plan.arms if replace(other, environment="", twin=False) == bare]
        keys = (CellKey(other, case.key, phase) for other in alike)
        return next((self._calls[key] for key in keys if key in self._calls), None)

    def _visit_rounds(self, pool: WorkerPool, case: Case, seconds: float) -> None:
        """Rounds until so many seconds are used; at least one."""
        arms = {arm.name: arm for arm in self._plan.arms}
        order = schedule(self._visits(case), self._seed, self._thinned(case))
        sampler, begin, last = self._sampler(pool), now(), now()
        for phases in order:
            wanted = [
                (CellKey(arms[name], case.key, phase), position)
                for phase, names in phases
                for position, name in enumerate(names)
            ]
            self._round(pool, case, wanted, sampler)
            time = now()
            self._report.advance(
                time - last, f"generation {self._number + 1}: {case.name}, round {self._record.rounds}"
            )
            last = time
            if time - begin >= seconds or not any(self._visits(case).values()):
                return

    def _sampler(self, pool: WorkerPool) -> Sampler:
        """Watches the CPUs, the workers, and the GPU if the arms compute on one."""
        used = {arm.device.index for arm in self._plan.arms if arm.device.kind == "gpu"}
        gpu = watch(min(used), pool.pids) if used else None
        return Sampler(pool.cpus, switches=pool.switches, gpu=gpu, pauses=pool.pauses)

    def _visits(self, case: Case) -> dict[Phase, list[str]]:
        """Names of each phase's arms that can be visited."""
        phases: dict[Phase, list[str]] = {phase: [] for phase in self._plan.phases(case)}
        for arm in self._plan.arms:
            for phase in self._runnable(arm, case):
                phases[phase].append(arm.name)
        return {phase: arms for phase, arms in phases.items() if arms}

    def _thinned(self, case: Case) -> dict[tuple[str, str], int]:
        """(phase, arm) -> every how many rounds."""
        every: dict[tuple[str, str], int] = {}
        for phase, names in self._visits(case).items():
            keys = {arm.name: CellKey(arm, case.key, phase) for arm in self._plan.arms if arm.name in names}
            times = {name: self._calls[keys[name]] * self._seconds[keys[name]] for name in names}
            every |= {(phase, name): n for name, n in thinning(times).items()}
        return every

    def _round(
        self, pool: WorkerPool, case: Case, wanted: Sequence[tuple[CellKey, int]], sampler: Sampler
    ) -> None:
        """Visit every wanted cell, and the control; rounds are numbered through the generation."""
        before = sampler.read()
        visits: list[tuple[list[RecordedVisit], RecordedVisit]] = []
        for key, position in wanted:
            if key in self._record.failures:
                continue
            calls = self._calls[key]
            with self._costing_only(pool, key.arm, case, key.phase):
                limit = visit_timeout_s(calls * self._seconds[key])
                request = VisitRequest(case.name, key.phase, calls, self._plan.settings.timing)
                visit = pool.timing(key.arm).within(limit).visit(request)
                mark = self._mark(key, visit.waited_share)
                visits.append(
                    (
                        self._record.visits[key],
                        RecordedVisit(self._record.rounds, position, calls, visit.seconds, mark),
                    )
                )
        if (seconds := pool.control(CONTROL_CALLS)) is not None:
            visits.append(
                (
                    self._record.control,
                    RecordedVisit(self._record.rounds, len(wanted), CONTROL_CALLS, seconds, 0),
                )
            )
        if (seconds := pool.noop(NOOP_CALLS, self._plan.settings.timing)) is not None:
            self._record.noop_call_s.append(seconds / NOOP_CALLS)
        after = sampler.read()
        contended = flags(before, after)
        if (rate := switches_per_s(before, after)) is not None:
            self._record.switches_per_s.append(rate)
        for taken, visit in visits:
            taken.append(visit._replace(flags=contended | visit.flags))
        self._record.rounds += 1

    def _mark(self, key: CellKey, waited_share: float) -> int:
        """The flags of a visit alone; those of its round come on top."""
        unsettled = UNSETTLED if key in self._unsettled else 0
        waited = WAITED if waited_share > WAITED_SHARE else 0
        return unsettled | waited

    def _finish(self, pool: WorkerPool, arm: Arm, case: Case) -> None:
        """Peak memory and last facts of a program, then let go of it."""
        for phase in self._runnable(arm, case):
            with self._costing_only(pool, arm, case, phase):
                peaks = pool.timing(arm).peak_memory(case.name, phase)
                self._record.cells[CellKey(arm, case.key, phase)].peaks = peaks
        if self._number == 0:
            self._look_once(pool, arm, case)
        if not self._runnable(arm, case):
            return
        try:
            description = pool.timing(arm).describe(case.name)
            pool.timing(arm).drop(case.name)
        except WorkerError as error:
            self._report.note(f"{arm.name} {case.name}: measured, but its last facts are missing: {error}")
            return
        facts = self._record.programs[ProgramKey(arm, case.key)]
        facts.description = description.to_json()
        if description.compiled_late:
            facts.compiled_late = description.compiled_late
            self._report.note(f"{arm.name} {case.name}: {late_fault(description.compiled_late)}")

    def _look_once(self, pool: WorkerPool, arm: Arm, case: Case) -> None:
        """The self-audit, memory by part, joules where a counter tells them, and the device's own time where it has a clock."""
        for phase in self._runnable(arm, case):
            key = CellKey(arm, case.key, phase)
            with self._costing_only(pool, arm, case, phase):
                if phase == Phase.INFER:
                    audit = audit_facts(pool.timing(arm).audit(case.name, self._calls[key]).to_json())
                    self._record.programs[key.program].audit = audit
                    for fault in audit.faults:
                        self._report.note(f"{arm.name} {case.name}: {fault}")
                if phase in PURPOSES:
                    self._note_memory(pool, arm, case, phase)
                facts = self._record.cells[key]
                facts.energy = pool.timing(arm).energy(case.name, phase)
                facts.device_call_s = pool.timing(arm).device_call_s(case.name, phase, self._calls[key])

    def _note_memory(self, pool: WorkerPool, arm: Arm, case: Case, phase: Phase) -> None:
        """What the program's weights and slots take, and what the spec says that the phase does."""
        precision = arm.precision
        by_spec = memory_parts(case.workload, case.batch_size, phase, precision.itemsize, precision.kept_itemsize)
        program = self._record.programs[ProgramKey(arm, case.key)]
        other_purpose = program.memory.by_spec if program.memory else {}
        held = pool.timing(arm).held_bytes(case.name)
        program.memory = ProgramMemory(
            held.weights_bytes, held.optimizer_bytes, by_spec={**other_purpose, phase: by_spec}
        )

    def _runnable(self, arm: Arm, case: Case) -> list[Phase]:
        """Phases of an arm that have neither failed nor are impossible."""
        out = self._given_up | self._record.without()
        return [phase for phase in self._plan.phases(case) if CellKey(arm, case.key, phase) not in out]

    @contextmanager
    def _costing_only(self, pool: WorkerPool, arm: Arm, case: Case, phase: Phase):
        """What fails inside costs this cell; a worker that died is replaced for the arm's other phases."""
        try:
            yield
        except WorkerError as error:
            key = CellKey(arm, case.key, phase)
            self._record.failures[key] = str(error)
            self._report.note(f"{key}: failed: {error}")
            if isinstance(error, WorkerLost) and self._runnable(arm, case):
                self._replace(pool, arm, case)

    def _replace(self, pool: WorkerPool, arm: Arm, case: Case) -> None:
        self._restarts[arm.name] += 1
        if self._restarts[arm.name] > MOST_RESTARTS:
            self._lose(arm, case, f"its worker was lost {self._restarts[arm.name]} times", unsupported=False)
            return
        self._build(pool, arm, case)

    def _lose(self, arm: Arm, case: Case, reason: str, unsupported: bool) -> None:
        where = self._record.unsupported if unsupported else self._record.failures
        for phase in self._runnable(arm, case):
            where[CellKey(arm, case.key, phase)] = reason
        self._report.note(f"{arm.name} {case.name}: {'unsupported' if unsupported else 'failed'}: {reason}")
