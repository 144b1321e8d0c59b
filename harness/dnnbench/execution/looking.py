"""After the last visit of a case: what is looked at once, off the clock."""

from ..errors import WorkerError
from ..protocol.arm import Arm
from ..protocol.keys import CellKey, ProgramKey
from ..spec.costs import memory_parts
from ..spec.phases import PURPOSES, Phase
from ..worker.answers import answers_differ, changed_fault
from ..worker.audit import late_fault
from ..worker.ended import WorkerLost
from ..worker.services.timing import CallFigures
from .cells import Cells
from .facts import AuditFacts, ProgramMemory, audit_facts
from .peaks import better, near_peak
from .plan import Case, Plan
from .pool import WorkerPool
from .preparing import Preparing
from .profiling import Profiling
from .record import Record
from .reporter import Reporter

ALL_FIGURES = "figures"
"""The name under which it is stored that none could be counted, and why."""


class Looking:
    """Peak memory, audits, energy, device time and best rates of the programs that a pool's
    workers hold.

    name: of the generation, for the reader who waits
    profiling: what looks into calls; None where the run was not asked to
    """

    def __init__(
        self,
        plan: Plan,
        pool: WorkerPool,
        cells: Cells,
        preparing: Preparing,
        record: Record,
        report: Reporter,
        name: str,
        profiling: Profiling | None = None,
    ) -> None:
        self._profiling = profiling
        self._plan, self._pool, self._cells, self._preparing = plan, pool, cells, preparing
        self._record, self._report, self._name = record, report, name

    def finish(self, arm: Arm, case: Case, once: bool, counts: bool) -> None:
        """Peak memory and the last description of a program, then let go of it.

        once: whether to look at what is the same in every generation.  counts: whether to count
        calls.
        """
        for phase in self._cells.runnable(arm, case):
            key = CellKey(arm, case.key, phase)
            with self._cells.costing_only(key, case, self._preparing.replace):
                self._record.cells[key].peaks = self._pool.timing(arm).peak_memory(case.name, phase)
        if counts:
            for phase in self._cells.runnable(arm, case):
                key = CellKey(arm, case.key, phase)
                self._record.figures[key] = self._figures(key, case)
        if once:
            for phase in self._cells.runnable(arm, case):
                key = CellKey(arm, case.key, phase)
                with self._cells.costing_only(key, case, self._preparing.replace):
                    self._look_at(key, case)
            if self._profiling is not None:
                self._profiling.look(arm, case)
        if self._cells.runnable(arm, case):
            self._drop(arm, case)

    def find_peaks(self) -> None:
        """The roofline of this machine, asked of every arm in turn.

        An arm that cannot tell says why and costs nothing.

        Asked again, the better rate counts.
        """
        for arm in self._plan.arms:
            self._report.advance(0, f"{self._name}: best rates of {arm.name}")
            try:
                peaks = self._pool.timing(arm).machine_peaks()
                self._record.machine_peaks[arm] = better(self._record.machine_peaks.get(arm), peaks)
            except WorkerError as error:
                self._report.note(f"{arm.name}: its best rates are unknown: {error}")

    def audit_rates(self) -> None:
        """Build what lies near or above the best rate once more, and see whether it does the work
        of every call.
        """
        for arm, case, phase in near_peak(self._plan, self._record):
            key = CellKey(arm, case.key, phase)
            self._report.advance(0, f"{self._name}: {key}: auditing its rate")
            try:
                audit = self._rate_audit(key, case)
            except WorkerError as error:
                audit = AuditFacts(error=str(error))
            self._record.cells[key].rate_audit = audit
            for fault in audit.faults:
                self._report.note(f"{key}: {fault}")

    def _rate_audit(self, key: CellKey, case: Case) -> AuditFacts:
        trains = not case.workload.inference_only
        between = (
            [Phase.TRAIN_STEP] if trains else []
        )  # a step between two inferences shows a kept answer
        self._preparing.build(key.arm, case, *between)
        timing = self._pool.timing(key.arm)
        timing.warm_up(case.name, key.phase)
        audit = timing.audit_rate(case.name, key.phase, self._cells.calls[key], trains)
        timing.drop(case.name)
        return audit_facts(audit.to_json())

    def _look_at(self, key: CellKey, case: Case) -> None:
        """The self-audit, memory by part, joules where a counter tells them,
        and the device's own time where it has a clock.
        """
        timing, calls = self._pool.timing(key.arm), self._cells.calls[key]
        if key.phase == Phase.INFER:
            phases = tuple(self._cells.runnable(key.arm, case))
            audit = audit_facts(timing.audit(case.name, calls, phases).to_json())
            self._record.programs[key.program].audit = audit
            for fault in audit.faults:
                self._report.note(f"{key.program}: {fault}")
        if key.phase in PURPOSES:
            self._note_memory(key, case)
        facts = self._record.cells[key]
        facts.energy = timing.energy(case.name, key.phase)
        facts.device_call_s = timing.device_call_s(case.name, key.phase, calls)

    def _figures(self, key: CellKey, case: Case) -> CallFigures:
        """What is counted of a call; what fails costs no measured cell."""
        try:
            return self._pool.timing(key.arm).figures(case.name, key.phase)
        except WorkerError as error:
            self._report.note(f"{key}: measured, but not counted: {error}")
            if isinstance(error, WorkerLost):
                self._preparing.replace(key.arm, case)
            return CallFigures((), {ALL_FIGURES: str(error)})

    def _note_memory(self, key: CellKey, case: Case) -> None:
        """What the program's weights and slots take, and what the spec says that the phase does."""
        precision = key.arm.precision
        workload = case.of(key.arm).workload
        by_spec = memory_parts(
            workload, case.batch_size, key.phase, precision.itemsize, precision.kept_itemsize
        )
        held = self._pool.timing(key.arm).held_bytes(case.name)
        program = self._record.programs[key.program]
        other_purpose = program.memory.by_spec if program.memory else {}
        program.memory = ProgramMemory(
            held.weights_bytes, held.optimizer_bytes, by_spec={**other_purpose, key.phase: by_spec}
        )

    def _drop(self, arm: Arm, case: Case) -> None:
        timing = self._pool.timing(arm)
        try:
            description = timing.describe(case.name)
            timing.drop(case.name)
        except WorkerError as error:
            self._report.note(
                f"{arm.name} {case.name}: measured, but its last facts are missing: {error}"
            )
            return
        facts = self._record.programs[ProgramKey(arm, case.key)]
        facts.description = description.to_json()
        for phase, (first, last) in description.answers.items():
            if answers_differ(first, last, arm.dtype):
                self._report.note(f"{arm.name} {case.name}: {changed_fault(phase)}")
        if description.compiled_late:
            facts.compiled_late = description.compiled_late
            self._report.note(f"{arm.name} {case.name}: {late_fault(description.compiled_late)}")
