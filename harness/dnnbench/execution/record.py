"""What one generation found; complete or interrupted, everything in it was measured."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EMPTY, WARM, AS_FOUND = "empty", "warm", "as found"
"""Compile caches: emptied for it, after a generation that compiled the same, as the user's happened to be."""
CellKey = tuple[str, str, str]
"""(arm, case, phase)"""
FLAGS = 4
"""Where a visit of a record holds its flags."""


@dataclass
class Record:
    """Visits by cell as (round, position, k, seconds, flags), and why some cells have none."""

    visits: dict[CellKey, list[tuple]] = field(default_factory=lambda: defaultdict(list))
    rounds: int = 0
    """How many there were: the number of the next one."""
    failures: dict[CellKey, str] = field(default_factory=dict)
    unsupported: dict[CellKey, str] = field(default_factory=dict)
    first_calls: dict[CellKey, dict] = field(default_factory=dict)
    peaks: dict[CellKey, dict] = field(default_factory=dict)
    programs: dict[str, dict] = field(default_factory=dict)
    """What each program says of itself, by `<arm> <case>`."""
    audits: dict[str, dict] = field(default_factory=dict)
    """What each bench found wrong with itself, by `<arm> <case>`."""
    compiled_late: dict[str, int] = field(default_factory=dict)
    """Programs compiled after the warm-up, by `<arm> <case>`; nothing where none was, as it should be."""
    energy: dict[str, dict] = field(default_factory=dict)
    """Joules a call and their counter, by `<arm> <case> <phase>`; nothing where there is no counter."""
    device_call_s: dict[str, float] = field(default_factory=dict)
    """Seconds a call by the device's own clock, by `<arm> <case> <phase>`; nothing where there is no such clock."""
    memory: dict[str, dict] = field(default_factory=dict)
    """Bytes by `<arm> <case>`: of its weights and slots, and `by_spec` for each purpose."""
    machine_peaks: dict[str, dict] = field(default_factory=dict)
    """Best rates of products and of streaming memory, by arm."""
    rate_audits: dict[str, dict] = field(default_factory=dict)
    """Of cells near or above the best rate, by `<arm> <case> <phase>`: what a second audit found, or its `error`."""
    idle_cpu: dict[str, float] = field(default_factory=dict)
    """Share of a CPU burnt while waiting, by `<arm> <case>`."""
    null_call_s: list[float] = field(default_factory=list)
    """Seconds of a call of the no-op program, by round: what the harness itself costs."""
    switches_per_s: list[float] = field(default_factory=list)
    """Involuntary context switches of the workers per second, by round."""
    start_s: float = 0.0
    """Seconds of everything but rounds: starting, building, first calls, warming up, looking once."""
    compile_cache: str = AS_FOUND
    """What the workers found in their compile caches when they started."""
    versions: dict[str, dict] = field(default_factory=dict)
    """Versions of what each arm computes with, by arm; of earlier generations where it was not started in this one."""
    system: dict[str, Any] = field(default_factory=dict)
    """How the machine was set up when the generation began, as `measure.machine.system` tells: it may change between runs."""

    def blocks(self) -> dict[CellKey, np.ndarray]:
        """(n, 5) array of visits by cell."""
        return {key: np.array(rows, np.float64) for key, rows in self.visits.items() if rows}

    def facts(self) -> dict[str, Any]:
        """What was found besides times, as the store keeps it with the generation."""
        names = (
            "programs",
            "versions",
            "system",
            "idle_cpu",
            "audits",
            "compiled_late",
            "energy",
            "device_call_s",
            "machine_peaks",
            "rate_audits",
            "memory",
            "compile_cache",
            "start_s",
        )
        by_round = ("switches_per_s", "null_call_s")
        return {n: getattr(self, n) for n in names} | {n: _summary(getattr(self, n)) for n in by_round}

    def without(self) -> set[CellKey]:
        """Cells that are not to be visited."""
        return {*self.failures, *self.unsupported}


def _summary(values: list[float]) -> dict[str, float] | None:
    """Median, ninth decile and most; None without a value."""
    if not values:
        return None
    median, high, most = np.quantile(values, (0.5, 0.9, 1.0)).tolist()
    return {"median": median, "p90": high, "max": most}
