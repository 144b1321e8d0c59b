"""One generation of a run: fresh processes, made ready for each case, visited round by round,
and looked at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..data.dataset import Dataset
from ..host.clock import read_cost_s
from ..protocol.keys import CellKey
from ..stats.figures import FEWEST_PROCESSES
from .cells import Cells
from .looking import Looking
from .peaks import near_peak
from .plan import Plan
from .pool import WorkerPool
from .preparing import Preparing
from .profiling import Profiling
from .record import Record
from .reporter import Reporter
from .rounds import starting_order
from .single_calls import SingleCalls
from .visiting import Visiting


class Generation:
    """Measures every case of a plan with one fresh pool.

    Whatever ends it, the record holds what was measured.

    calls: calls a visit by cell, frozen by the first generation that fills it.
    given_up: cells that failed in an earlier generation and are left out.
    record: what is filled; its rounds go on from those of the pools before,
    where arms cannot all be up at once.
    cache: folder of the compile caches; None for the user's.
    profiles: folder of the run's traces; None where no call is looked into.
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
        profiles: Path | None = None,
    ) -> None:
        self._profiles = profiles
        self._seed = plan.settings.seed * 1000 + number
        self._plan = replace(plan, arms=tuple(starting_order(plan.arms, self._seed)))
        self._datasets, self._number, self._cache = datasets, number, cache
        self._record, self._report = record, report
        self._cells = Cells(self._plan, calls, given_up, record, report)
        self._read_cost_s = read_cost_s()

    def run(self, seconds: float) -> None:
        """Start the pool, measure every case for its share of the seconds, end the pool."""
        name = f"generation {self._number + 1}"
        with WorkerPool(
            self._plan, f"generation{self._number}", self._cache, self._record.versions
        ) as pool:
            self._report.advance(0, f"{name}: starting {len(self._plan.arms)} workers")
            pool.start()
            self._record.versions |= pool.versions
            self._measure(pool, name, seconds)

    def _measure(self, pool: WorkerPool, name: str, seconds: float) -> None:
        plan, cells, record, report = self._plan, self._cells, self._record, self._report
        preparing = Preparing(plan, self._datasets, pool, cells, record, report, self._read_cost_s)
        visiting = Visiting(plan, pool, cells, preparing.replace, record, report, self._seed, name)
        singles = SingleCalls(plan, pool, cells, preparing.replace, record)
        profiling = self._profiles and Profiling(
            pool, cells, preparing.replace, record, report, self._profiles
        )
        looking = Looking(plan, pool, cells, preparing, record, report, name, profiling or None)
        first = self._number == 0
        counts = plan.settings.figures and self._number < FEWEST_PROCESSES
        for case in plan.cases:
            report.advance(0, f"{name}: building {case.name}")
            preparing.prepare(case)
            visiting.visit(case, seconds / len(plan.cases))
            singles.take(case)
            for arm in plan.arms:
                looking.finish(arm, case, once=first, counts=counts)
        if first:
            looking.find_peaks()
            if near_peak(plan, record):
                looking.find_peaks()  # it may have been the peak that was measured too low
                looking.audit_rates()
