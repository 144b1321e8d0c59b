"""Both sides of an arm, over several fresh processes, and what they say together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from beside import SIDES, Beside
from dnnbench.execution.pool import spawn, start_request, worker_cpus
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.stats.estimates import Ratio, Visits, log_pairs, ratio
from dnnbench.worker.clients.base import BUILD_TIMEOUT_S
from dnnbench.worker.environment import default_memory


@dataclass(frozen=True)
class Comparison:
    """One phase: visits of each side over all processes, and dnnbench's time over
    the handwritten network's.
    """

    visits: Mapping[str, Visits]
    ratio: Ratio
    versions: Mapping[str, str]


class Comparisons:
    """Measures an arm when its first comparison is asked for.

    selected: `arm`, `workload` and `phase` of every comparison that will be.
    """

    def __init__(self, selected: Sequence[Mapping[str, str]], processes: int, seconds: float):
        self._selected, self._processes, self._seconds = selected, processes, seconds
        self._measured: dict[tuple[str, str, str], Comparison] = {}

    def get(self, arm: str, workload: str, phase: str) -> Comparison:
        """The comparison; WorkerError where a side fails or the two do not agree."""
        if (arm, workload, phase) not in self._measured:
            self._measure(arm)
        return self._measured[arm, workload, phase]

    def _measure(self, arm: str) -> None:
        wanted = sorted(
            {(one["workload"], one["phase"]) for one in self._selected if one["arm"] == arm}
        )
        rows = []
        for process in range(self._processes):
            versions, visits = self._one_process(arm, wanted, process)
            rows += [(process, visit) for visit in visits]
        for workload, phase in wanted:
            sides = {side: _visits(rows, workload, phase, side) for side in SIDES}
            found = ratio(log_pairs(*(sides[side] for side in SIDES)))
            self._measured[arm, workload, phase] = Comparison(sides, found, versions)

    def _one_process(
        self, name: str, wanted: Sequence[tuple[str, str]], process: int
    ) -> tuple[dict, list]:
        arm = Arm(*name.split(":"))
        with spawn(
            arm,
            f"beside-{name}-{process}",
            default_memory(),
            "beside:Beside",
            worker_cpus(arm.threads),
        ) as worker:
            versions = worker.ask(Beside.start, BUILD_TIMEOUT_S, start_request(arm))
            for workload in dict.fromkeys(workload for workload, _ in wanted):
                phases = tuple(phase for name, phase in wanted if name == workload)
                worker.ask(Beside.build, BUILD_TIMEOUT_S, find_workload(workload), phases)
            seconds = self._seconds * len(wanted)
            return versions, worker.ask(
                Beside.rounds, BUILD_TIMEOUT_S + 10 * seconds, seconds, process
            )


def _visits(rows: Sequence[tuple], workload: str, phase: str, side: str) -> Visits:
    chosen = [
        (process, visit.round, visit.position, visit.seconds / visit.calls)
        for process, visit in rows
        if (visit.workload, visit.phase, visit.side) == (workload, phase, side)
    ]
    process, number, position, call_s = zip(*chosen, strict=True)
    whole = (np.array(column, np.int64) for column in (process, number, position))
    return Visits(*whole, np.array(call_s), np.zeros(len(call_s), np.int64))
