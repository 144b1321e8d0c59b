"""Before the first visit of a case: programs are built, called first and warmed up,
and idle workers kept quiet.
"""

from collections.abc import Mapping
from dataclasses import replace

from ..data.dataset import Dataset
from ..errors import PluginError, WorkerError
from ..host.idle import NOISY_SHARE
from ..protocol.arm import Arm
from ..protocol.keys import CellKey, ProgramKey
from ..spec.phases import Phase
from ..worker.services.timing import BuildRequest, Built
from .batch import timing_batch
from .batching import calls_per_visit
from .cells import Cells
from .facts import FirstCall
from .parallel import in_parallel
from .plan import CONTROL, Case, Plan
from .pool import WorkerPool
from .record import Record
from .reporter import Reporter

MOST_RESTARTS = 2
"""How often an arm's worker is started again within one case of a generation."""


class Preparing:
    """Makes the workers of one pool ready for a case.

    read_cost_s: seconds that reading the clock takes, of which a visit must be many.
    """

    def __init__(
        self,
        plan: Plan,
        datasets: Mapping[str, Dataset],
        pool: WorkerPool,
        cells: Cells,
        record: Record,
        report: Reporter,
        read_cost_s: float,
    ) -> None:
        self._plan, self._datasets, self._pool = plan, datasets, pool
        self._cells, self._record, self._report = cells, record, report
        self._read_cost_s = read_cost_s
        self._restarts = dict.fromkeys(plan.arms, 0)

    def prepare(self, case: Case) -> None:
        """Build and call first, several arms at once.

        Warm up one after the other, as they will be visited.
        """
        self._restarts = dict.fromkeys(self._restarts, 0)
        in_parallel(
            lambda arm: self._build_and_call(arm, case), self._plan.arms, self._pool.at_once
        )
        for arm in self._plan.arms:
            self._warm_up(arm, case)
        self._quiesce(case)

    def build(self, arm: Arm, case: Case, *more: Phase) -> Built:
        """A program in the arm's worker, which holds it under the case's name.

        more: phases that are called besides those that are timed.
        """
        settings = self._plan.settings
        own = case.of(arm)
        batch = timing_batch(self._datasets[own.data], case.batch_size, settings.seed)
        phases = (*self._plan.phases(case), *more)
        request = BuildRequest(case.name, own.workload, own.weights, batch, settings.seed, phases)
        self._pool.respawn(arm)
        return self._pool.timing(arm).build(request)

    def replace(self, arm: Arm, case: Case) -> None:
        """Build anew in a fresh process.

        An arm whose workers are lost again and again is given up.
        """
        self._restarts[arm] += 1
        if self._restarts[arm] > MOST_RESTARTS:
            self._cells.fail(arm, case, f"its worker was lost {self._restarts[arm]} times")
            return
        self._build_and_call(arm, case)

    def _build_and_call(self, arm: Arm, case: Case) -> None:
        """Build the case on its arm and time every phase's first call."""
        try:
            built = self.build(arm, case)
        except WorkerError as error:
            if error.kind == PluginError.__name__:
                self._cells.refuse(arm, case, str(error))
            else:
                self._cells.fail(arm, case, str(error))
            return
        self._record.programs[ProgramKey(arm, case.key)].description = built.description.to_json()
        for phase, reason in built.missing.items():
            self._record.unsupported[CellKey(arm, case.key, phase)] = reason
        for phase in self._cells.runnable(arm, case):
            key = CellKey(arm, case.key, phase)
            with self._cells.costing_only(key, case, self.replace):
                seconds = self._pool.timing(arm).first_call(case.name, phase)
                self._note_first_call(key, built.build_s, seconds)

    def _note_first_call(self, key: CellKey, build_s: float, seconds: float) -> None:
        facts = self._record.cells[key]
        if facts.first_call is None:  # a replaced worker's is not the first
            import_s = self._pool.import_s[key.arm.name]
            facts.first_call = FirstCall(import_s, build_s, seconds)

    def _warm_up(self, arm: Arm, case: Case) -> None:
        for phase in self._cells.runnable(arm, case):
            key = CellKey(arm, case.key, phase)
            with self._cells.costing_only(key, case, self.replace):
                warm = self._pool.timing(arm).warm_up(case.name, phase)
                self._cells.call_s[key] = warm.seconds
                alike = self._calls_alike(arm, case, phase)
                calls = alike or calls_per_visit(warm.seconds, self._read_cost_s)
                self._cells.calls.setdefault(key, calls)
                if not warm.settled:
                    self._cells.unsettled.add(key)

    def _calls_alike(self, arm: Arm, case: Case, phase: Phase) -> int | None:
        """Calls a visit of an arm that differs from this one in its environment only:
        both are timed alike.
        """
        bare = _without_environment(arm)
        alike = [other for other in self._plan.arms if _without_environment(other) == bare]
        keys = (CellKey(other, case.key, phase) for other in alike)
        return next((self._cells.calls[key] for key in keys if key in self._cells.calls), None)

    def _quiesce(self, case: Case) -> None:
        """Stop workers that use CPU while another is measured, and record how much each did."""
        for name, share in self._pool.quiesce().items():
            self._note_idle(name, case, round(share, 4))
            if share > NOISY_SHARE:
                self._report.note(
                    f"{name} {case.name}: burns {share:.0%} of a CPU while it waits; "
                    "stopped between visits"
                )

    def _note_idle(self, name: str, case: Case, share: float) -> None:
        arms = {arm.name: arm for arm in self._plan.arms}
        if name == CONTROL:
            self._record.control_idle_cpu[case.key] = share
        else:
            self._record.programs[ProgramKey(arms[name], case.key)].idle_cpu = share


def _without_environment(arm: Arm) -> Arm:
    return replace(arm, environment="", twin=False)
