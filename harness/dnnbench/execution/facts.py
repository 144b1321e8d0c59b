"""What a generation tells besides times: of each cell, of each program, of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..protocol.arm import Arm
from ..protocol.keys import CaseKey, CellKey, ProgramKey
from ..spec.costs import MemoryParts
from ..spec.phases import Phase
from ..worker.peaks import Peaks
from ..worker.services.timing import Energy, PeakMemory

EMPTY, WARM, AS_FOUND = "empty", "warm", "as found"
"""Compile caches: emptied for it, after a generation that compiled the same,
as the user's happened to be.
"""


@dataclass(frozen=True)
class AuditFacts:
    """What a bench found wrong with itself, and the figures that say so.

    `error` where it could not be audited.
    """

    faults: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def cpus_used(self) -> float:
        """CPU seconds of the process over wall seconds."""
        return float(self.figures["cpus_used"])


def audit_facts(answer: Mapping[str, Any]) -> AuditFacts:
    """From a worker's answer, or from a store: the figures, and under `faults` and `error` what
    they come to.
    """
    figures = {name: value for name, value in answer.items() if name not in ("faults", "error")}
    return AuditFacts(tuple(answer.get("faults", ())), figures, answer.get("error", ""))


@dataclass(frozen=True)
class FirstCall:
    """Seconds of importing the framework, of building the program,
    and of the phase's first call.
    """

    import_s: float
    build_s: float
    first_call_s: float


@dataclass(frozen=True)
class ProgramMemory:
    """Bytes of a program's weights and optimizer slots, and what the spec foretells
    for each purpose.
    """

    weights_bytes: int
    optimizer_bytes: int
    by_spec: Mapping[Phase, MemoryParts] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """Median, ninth decile and most of values that came round by round."""

    median: float
    p90: float
    max: float


@dataclass(frozen=True)
class ProfileFacts:
    """What a framework's own tools saw inside calls of a cell; see `protocol.profile.Profile`.

    A node's seconds are of a call that was looked into, and slower for it.
    """

    call_s: float | None = None
    forward_s: Mapping[str, float] = field(default_factory=dict)
    backward_s: Mapping[str, float] = field(default_factory=dict)
    no_nodes: str = ""
    trace: str = ""
    """Name of the file in the run's folder of profiles; empty where there is none."""
    opens: str = ""
    """What shows it."""
    no_trace: str = ""


@dataclass
class CellFacts:
    """Of one cell; None where nothing was measured. Each is written once."""

    first_call: FirstCall | None = None
    peaks: PeakMemory | None = None
    energy: Energy | None = None
    device_call_s: float | None = None
    """Seconds a call by the device's own clock."""
    rate_audit: AuditFacts | None = None
    """Of a rate near or above the best one that any arm reached."""
    profile: ProfileFacts | None = None
    """Of `run --profile`."""


@dataclass
class ProgramFacts:
    """Of one program. Each is written once, `description` again when the program is let go of."""

    description: Mapping[str, Any] = field(default_factory=dict)
    """What the program says of itself, see `protocol.program.Program.facts`."""
    audit: AuditFacts | None = None
    compiled_late: int = 0
    """Programs compiled after the warm-up: none, as it should be."""
    memory: ProgramMemory | None = None
    idle_cpu: float | None = None
    """Share of a CPU burnt while waiting."""

    @property
    def answers(self) -> Mapping[str, tuple[float, float]]:
        """By phase, numbers for its answer before the first visit and after the last one;
        empty where an older dnnbench did not read them.
        """
        return {phase: tuple(pair) for phase, pair in self.description.get("answers", {}).items()}


@dataclass(frozen=True)
class AuditLine:
    """One thing that may differ: what it was for each arm, by name, and whether arms that differ
    in it are not ranked.
    """

    what: str
    values: Mapping[str, object]
    must_match: bool

    @property
    def equal(self) -> bool:
        return len(set(map(str, self.values.values()))) <= 1


@dataclass(frozen=True)
class GenerationFacts:
    """Of one generation; what an older dnnbench did not store is empty."""

    compile_cache: str = AS_FOUND
    """What the workers found in their compile caches when they started."""
    start_s: float = 0.0
    """Seconds of everything but rounds: starting, building, first calls, warming up,
    looking once.
    """
    system: Mapping[str, Any] = field(default_factory=dict)
    """How the machine was set up when the generation began, as `host.machine.system` has it."""
    versions: Mapping[Arm, Mapping[str, str]] = field(default_factory=dict)
    machine_peaks: Mapping[Arm, Peaks] = field(default_factory=dict)
    programs: Mapping[ProgramKey, ProgramFacts] = field(default_factory=dict)
    cells: Mapping[CellKey, CellFacts] = field(default_factory=dict)
    control_idle_cpu: Mapping[CaseKey, float] = field(default_factory=dict)
    fairness: Mapping[CaseKey, Sequence[AuditLine]] = field(default_factory=dict)
    noop_call_s: Summary | None = None
    """Of a call of the no-op program: what the harness itself costs."""
    switches_per_s: Summary | None = None
    """Involuntary context switches of the workers."""

    def program(self, key: ProgramKey) -> ProgramFacts:
        """Facts of a program; empty where there are none."""
        return self.programs.get(key, ProgramFacts())

    def cell(self, key: CellKey) -> CellFacts:
        """Facts of a cell; empty where there are none."""
        return self.cells.get(key, CellFacts())
