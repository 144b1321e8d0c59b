"""What one generation measures; complete or interrupted, everything in it was measured."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..protocol.arm import Arm
from ..protocol.keys import CaseKey, CellKey, ProgramKey
from ..worker.peaks import Peaks
from ..worker.services.timing import CallFigures
from .facts import AS_FOUND, CellFacts, GenerationFacts, ProgramFacts, Summary


class RecordedVisit(NamedTuple):
    """One visit: which round and place in it, seconds of all its calls together, and flags
    (`stats.flags`).
    """

    round: int
    position: int
    calls: int
    seconds: float
    flags: int


@dataclass
class Record:
    """Visits by cell, why some cells have none, and the facts that come beside times."""

    visits: dict[CellKey, list[RecordedVisit]] = field(default_factory=lambda: defaultdict(list))
    singles: dict[CellKey, list[RecordedVisit]] = field(default_factory=lambda: defaultdict(list))
    """Calls that were timed one by one, each as a visit of its own with the flag `SINGLE`."""
    control: list[RecordedVisit] = field(default_factory=list)
    """Of the control arm."""
    rounds: int = 0
    """How many there were: the number of the next one."""
    failures: dict[CellKey, str] = field(default_factory=dict)
    unsupported: dict[CellKey, str] = field(default_factory=dict)
    cells: dict[CellKey, CellFacts] = field(default_factory=lambda: defaultdict(CellFacts))
    programs: dict[ProgramKey, ProgramFacts] = field(
        default_factory=lambda: defaultdict(ProgramFacts)
    )
    figures: dict[CellKey, CallFigures] = field(default_factory=dict)
    """Of one call of each cell, where the run counts."""
    versions: dict[Arm, Mapping[str, str]] = field(default_factory=dict)
    """Of what each arm computes with; of earlier generations where it was not started
    in this one.
    """
    machine_peaks: dict[Arm, Peaks] = field(default_factory=dict)
    control_idle_cpu: dict[CaseKey, float] = field(default_factory=dict)
    noop_call_s: list[float] = field(default_factory=list)
    """Seconds of a call of the no-op program, by round."""
    switches_per_s: list[float] = field(default_factory=list)
    """Involuntary context switches of the workers per second, by round."""
    start_s: float = 0.0
    compile_cache: str = AS_FOUND
    system: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> GenerationFacts:
        """What the generation tells besides times; the fairness audit is the caller's."""
        return GenerationFacts(
            compile_cache=self.compile_cache,
            start_s=self.start_s,
            system=self.system,
            versions=dict(self.versions),
            machine_peaks=dict(self.machine_peaks),
            programs=dict(self.programs),
            cells=dict(self.cells),
            control_idle_cpu=dict(self.control_idle_cpu),
            noop_call_s=_summary(self.noop_call_s),
            switches_per_s=_summary(self.switches_per_s),
        )

    def without(self) -> set[CellKey]:
        """Cells that are not to be visited."""
        return {*self.failures, *self.unsupported}


def block_of(visits: list[RecordedVisit]) -> npt.NDArray[np.float64]:
    """(n, 5) array of visits, as the store keeps them."""
    return np.array(visits, np.float64)


def _summary(values: list[float]) -> Summary | None:
    """None without a value."""
    if not values:
        return None
    return Summary(*np.quantile(values, (0.5, 0.9, 1.0)).tolist())
