"""One generation of a run: fresh processes, every arm visited in turn, round by round."""

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from ..data.dataset import Dataset
from ..errors import WorkerError
from ..host.clock import now, read_cost_s
from ..host.contention import WAITED_SHARE, Sampler, flags, switches_per_s
from ..host.gpus import watch
from ..host.idle import NOISY_SHARE
from ..protocol.arm import Arm
from ..spec.costs import memory_parts
from ..spec.phases import PIECES, PURPOSES, Phase
from ..stats.flags import UNSETTLED, WAITED
from ..worker.audit import late_fault
from ..worker.process import WorkerLost
from .batch import timing_batch
from .batching import calls_per_visit
from .parallel import in_parallel
from .peaks import better, near_peak
from .plan import CONTROL, Case, Plan
from .pool import BUILD_TIMEOUT_S, WorkerPool, visit_timeout_s
from .record import CellKey, Record
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
                found = pool.call(arm, "machine_peaks", BUILD_TIMEOUT_S)
                self._record.machine_peaks[arm.name] = better(self._record.machine_peaks.get(arm.name), found)
            except WorkerError as error:
                self._report.note(f"{arm.name}: its best rates are unknown: {error}")

    def _audit_rates(self, pool: WorkerPool) -> None:
        """Build what lies near or above the best rate once more, and see whether it does the work of every call."""
        for arm, case, phase in near_peak(self._plan, self._record):
            name, asked = f"{arm.name} {case.name} {phase}", {"key": case.name, "phase": phase}
            self._report.advance(0, f"generation {self._number + 1}: {name}: auditing its rate")
            try:
                self._ask_to_build(pool, arm, case)
                pool.call(arm, "warm_up", BUILD_TIMEOUT_S, **asked)
                asked |= {"calls": self._calls[arm.name, case.name, phase], "trains": not case.workload.inference_only}
                self._record.rate_audits[name] = pool.call(arm, "audit_rate", BUILD_TIMEOUT_S, **asked)
                pool.call(arm, "drop", BUILD_TIMEOUT_S, key=case.name)
            except WorkerError as error:
                self._record.rate_audits[name] = {"faults": [], "error": str(error)}
            for fault in self._record.rate_audits[name]["faults"]:
                self._report.note(f"{name}: {fault}")

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
            self._record.idle_cpu[f"{name} {case.name}"] = round(share, 4)
            if share > NOISY_SHARE:
                self._report.note(
                    f"{name} {case.name}: burns {share:.0%} of a CPU while it waits; stopped between visits"
                )

    def _build(self, pool: WorkerPool, arm: Arm, case: Case) -> None:
        """Build the case on its arm and time every phase's first call."""
        try:
            built = self._ask_to_build(pool, arm, case)
        except WorkerError as error:
            self._lose(arm, case, str(error), unsupported=error.kind == "PluginError")
            return
        self._record.programs[f"{arm.name} {case.name}"] = built["facts"]
        for phase in self._runnable(arm, case):
            if phase in PIECES and phase not in built["pieces"]:
                self._record.unsupported[arm.name, case.name, phase] = f"{arm.name} cannot run this piece alone"
                continue
            with self._costing_only(pool, arm, case, phase):
                seconds = pool.call(arm, "first_call", BUILD_TIMEOUT_S, key=case.name, phase=phase)
                self._note_first_call(pool, arm, case, phase, built["build_s"], seconds)

    def _ask_to_build(self, pool: WorkerPool, arm: Arm, case: Case) -> dict:
        """What the arm's worker tells of the program that it built, and holds under the case's name."""
        settings = self._plan.settings
        batch = timing_batch(self._datasets[case.workload.name], case.batch_size, settings.seed)
        pool.respawn(arm)
        return pool.call(
            arm, "build", BUILD_TIMEOUT_S, key=case.name, workload=case.workload.model_dump(mode="json"),
            weights=dict(case.weights), batch=asdict(batch), seed=settings.seed,
        )  # fmt: skip

    def _note_first_call(self, pool: WorkerPool, arm: Arm, case: Case, phase: str, build_s: float, seconds: float) -> None:
        times = {"import_s": pool.import_s[arm.name], "build_s": build_s, "first_call_s": seconds}
        where = {"arm": arm.name, "workload": case.workload.name, "batch_size": case.batch_size, "phase": phase}
        row = {**where, **times, "generation": self._number}
        self._record.first_calls.setdefault((arm.name, case.name, phase), row)  # a replaced worker's is not the first

    def _warm_up(self, pool: WorkerPool, arm: Arm, case: Case) -> None:
        for phase in self._runnable(arm, case):
            key = arm.name, case.name, phase
            with self._costing_only(pool, arm, case, phase):
                warm = pool.call(arm, "warm_up", BUILD_TIMEOUT_S, key=case.name, phase=phase)
                self._seconds[key] = warm["seconds"]
                calls = self._calls_alike(arm, case, phase) or calls_per_visit(warm["seconds"], self._read_cost_s)
                self._calls.setdefault(key, calls)
                if not warm["settled"]:
                    self._unsettled.add(key)

    def _calls_alike(self, arm: Arm, case: Case, phase: str) -> int | None:
        """Calls a visit of an arm that differs from this one in its environment only: both are timed alike."""
        bare = replace(arm, environment="", twin=False)
        alike = (other.name for other in self._plan.arms if replace(other, environment="", twin=False) == bare)
        return next((self._calls[n, case.name, phase] for n in alike if (n, case.name, phase) in self._calls), None)

    def _visit_rounds(self, pool: WorkerPool, case: Case, seconds: float) -> None:
        """Rounds until so many seconds are used; at least one."""
        arms = {arm.name: arm for arm in self._plan.arms}
        order = schedule(self._visits(case), self._seed, self._thinned(case))
        sampler, begin, last = self._sampler(pool), now(), now()
        for phases in order:
            wanted = [((arm, case.name, p), position) for p, arms in phases for position, arm in enumerate(arms)]
            self._round(pool, case, arms, wanted, sampler)
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

    def _visits(self, case: Case) -> dict[str, list[str]]:
        """Arms of each phase that can be visited."""
        phases = {phase: [] for phase in self._plan.phases(case)}
        for arm in self._plan.arms:
            for phase in self._runnable(arm, case):
                phases[phase].append(arm.name)
        return {phase: arms for phase, arms in phases.items() if arms}

    def _thinned(self, case: Case) -> dict[tuple[str, str], int]:
        """(phase, arm) -> every how many rounds."""
        every = {}
        for phase, arms in self._visits(case).items():
            times = {arm: self._calls[arm, case.name, phase] * self._seconds[arm, case.name, phase] for arm in arms}
            every |= {(phase, arm): n for arm, n in thinning(times).items()}
        return every

    def _round(self, pool: WorkerPool, case: Case, arms: Mapping[str, Arm], wanted, sampler: Sampler) -> None:
        """Visit every wanted cell, and the control; rounds are numbered through the generation."""
        before = sampler.read()
        visits = []
        for key, position in wanted:
            if key in self._record.failures:
                continue
            calls = self._calls[key]
            with self._costing_only(pool, arms[key[0]], case, key[2]):
                limit = visit_timeout_s(calls * self._seconds[key])
                asked = {"key": case.name, "phase": key[2], "calls": calls, "timing": self._plan.settings.timing}
                visit = pool.call(arms[key[0]], "visit", limit, **asked)
                mark = self._mark(key, visit["waited_share"])
                visits.append((key, position, calls, visit["seconds"], mark))
        if (seconds := pool.control(CONTROL_CALLS)) is not None:
            visits.append(((CONTROL, "", CONTROL), len(wanted), CONTROL_CALLS, seconds, 0))
        if (seconds := pool.noop(NOOP_CALLS, self._plan.settings.timing)) is not None:
            self._record.null_call_s.append(seconds / NOOP_CALLS)
        after = sampler.read()
        contended = flags(before, after)
        if (rate := switches_per_s(before, after)) is not None:
            self._record.switches_per_s.append(rate)
        for key, position, calls, seconds, mark in visits:
            self._record.visits[key].append((self._record.rounds, position, calls, seconds, contended | mark))
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
                peaks = pool.call(arm, "peaks", BUILD_TIMEOUT_S, key=case.name, phase=phase)
                self._record.peaks[arm.name, case.name, phase] = peaks
        if self._number == 0:
            self._look_once(pool, arm, case)
        if not self._runnable(arm, case):
            return
        try:
            told = pool.call(arm, "facts", BUILD_TIMEOUT_S, key=case.name)
            pool.call(arm, "drop", BUILD_TIMEOUT_S, key=case.name)
        except WorkerError as error:
            self._report.note(f"{arm.name} {case.name}: measured, but its last facts are missing: {error}")
            return
        self._record.programs[f"{arm.name} {case.name}"] = told
        if told["compiled_late"]:
            self._record.compiled_late[f"{arm.name} {case.name}"] = told["compiled_late"]
            self._report.note(f"{arm.name} {case.name}: {late_fault(told['compiled_late'])}")

    def _look_once(self, pool: WorkerPool, arm: Arm, case: Case) -> None:
        """The self-audit, memory by part, joules where a counter tells them, and the device's own time where it has a clock."""
        for phase in self._runnable(arm, case):
            with self._costing_only(pool, arm, case, phase):
                if phase == Phase.INFER:
                    calls = self._calls[arm.name, case.name, phase]
                    found = pool.call(arm, "audit", BUILD_TIMEOUT_S, key=case.name, calls=calls)
                    self._record.audits[f"{arm.name} {case.name}"] = found
                    for fault in found["faults"]:
                        self._report.note(f"{arm.name} {case.name}: {fault}")
                if phase in PURPOSES:
                    self._note_memory(pool, arm, case, phase)
                if (energy := pool.call(arm, "energy", BUILD_TIMEOUT_S, key=case.name, phase=phase)) is not None:
                    self._record.energy[f"{arm.name} {case.name} {phase}"] = energy
                calls = self._calls[arm.name, case.name, phase]
                told = pool.call(arm, "device_time", BUILD_TIMEOUT_S, key=case.name, phase=phase, calls=calls)
                if told is not None:
                    self._record.device_call_s[f"{arm.name} {case.name} {phase}"] = told

    def _note_memory(self, pool: WorkerPool, arm: Arm, case: Case, phase: str) -> None:
        """What the program's weights and slots take, and what the spec says that the phase does."""
        told, precision = self._record.memory.setdefault(f"{arm.name} {case.name}", {}), arm.precision
        told |= pool.call(arm, "parts", BUILD_TIMEOUT_S, key=case.name)
        by_spec = memory_parts(case.workload, case.batch_size, phase, precision.itemsize, precision.kept_itemsize)
        told.setdefault("by_spec", {})[phase] = by_spec._asdict()

    def _runnable(self, arm: Arm, case: Case) -> list[str]:
        """Phases of an arm that have neither failed nor are impossible."""
        out = self._given_up | self._record.without()
        return [phase for phase in self._plan.phases(case) if (arm.name, case.name, phase) not in out]

    @contextmanager
    def _costing_only(self, pool: WorkerPool, arm: Arm, case: Case, phase: str):
        """What fails inside costs this cell; a worker that died is replaced for the arm's other phases."""
        try:
            yield
        except WorkerError as error:
            self._record.failures[arm.name, case.name, phase] = str(error)
            self._report.note(f"{arm.name} {case.name} {phase}: failed: {error}")
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
            where[arm.name, case.name, phase] = reason
        self._report.note(f"{arm.name} {case.name}: {'unsupported' if unsupported else 'failed'}: {reason}")
