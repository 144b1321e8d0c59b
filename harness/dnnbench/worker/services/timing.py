"""Programs at the bench: built, called first, warmed up, visited, and looked at once."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...protocol.batch import Batch
from ...protocol.figures import Figure
from ...protocol.timing import Timing
from ...spec.phases import Phase
from ...spec.workload import Workload
from ..audit import Audit
from ..description import ProgramDescription
from ..peaks import Peaks
from ..rate_audit import RateAudit


@dataclass(frozen=True)
class BuildRequest:
    """A workload with its weights, the batch that every call reads, and the name that the program
    is asked for by.

    phases: what will be asked of it.
    """

    program: str
    workload: Workload
    weights: Mapping[str, np.ndarray] = field(repr=False)
    batch: Batch = field(repr=False)
    seed: int
    phases: tuple[Phase, ...] = tuple(Phase)


@dataclass(frozen=True)
class Built:
    """A program at the bench: seconds of building it, its description, and why it lacks the phases
    that it lacks.
    """

    build_s: float
    description: ProgramDescription
    missing: Mapping[Phase, str]


@dataclass(frozen=True)
class VisitRequest:
    """`calls` calls of a phase on the clock; timing: `latency` waits for each call,
    `throughput` for all at the end.
    """

    program: str
    phase: Phase
    calls: int
    timing: Timing


@dataclass(frozen=True)
class Visit:
    """Seconds of k calls, and the share of them for which the worst of the process's threads
    waited for a CPU.
    """

    seconds: float
    waited_share: float


@dataclass(frozen=True)
class SingleCalls:
    """Seconds of each of several calls, every one timed and waited for by itself."""

    seconds: np.ndarray


@dataclass(frozen=True)
class WarmCall:
    """Seconds of a call after warming up, and whether the calls before it had settled."""

    seconds: float
    settled: bool


@dataclass(frozen=True)
class PeakMemory:
    """Most bytes held during one call: resident in the process, and on the device.

    None where the system does not count them.
    """

    peak_rss_bytes: int | None
    peak_device_bytes: int | None


@dataclass(frozen=True)
class HeldBytes:
    """Bytes of a program's weights and of its optimizer's slots, as the program
    itself holds them.
    """

    weights_bytes: int
    optimizer_bytes: int


@dataclass(frozen=True)
class Profiled:
    """A `protocol.profile.Profile` on its way: the trace as an array of bytes, empty where there
    is none.
    """

    call_s: float
    forward_s: Mapping[str, float]
    backward_s: Mapping[str, float]
    no_nodes: str
    trace: np.ndarray = field(repr=False)
    suffix: str
    opens: str
    no_trace: str


@dataclass(frozen=True)
class CallFigures:
    """Figures of one call of a phase, and by name why those that are missing are."""

    figures: tuple[Figure, ...]
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Energy:
    """Joules a call, and the counter that they were read from."""

    joules: float
    source: str


class TimingService(ABC):
    """One process times programs of one arm; `control`, `noop` and `switches` need no start.

    Laws: `first_call` comes before `warm_up`, and that before `visit`;
    nothing but `drop` lets a program go.
    """

    @abstractmethod
    def control(self, calls: int) -> float:
        """Seconds of one visit of the control arm."""

    @abstractmethod
    def noop(self, calls: int, timing: Timing) -> float:
        """Seconds of one visit of the no-op program."""

    @abstractmethod
    def switches(self) -> int:
        """Involuntary context switches of all threads of the process so far."""

    @abstractmethod
    def build(self, request: BuildRequest) -> Built:
        """Build a program and place its batch.

        PluginError, with the reasons, if the arm offers none of the phases.
        """

    @abstractmethod
    def first_call(self, program: str, phase: Phase) -> float:
        """Seconds of a phase's first call: tracing, compiling, running once."""

    @abstractmethod
    def warm_up(self, program: str, phase: Phase) -> WarmCall:
        """Place the threads, then call until the calls settle, or for a while."""

    @abstractmethod
    def visit(self, request: VisitRequest) -> Visit:
        """One visit."""

    @abstractmethod
    def single_calls(self, program: str, phase: Phase, calls: int) -> SingleCalls:
        """Calls one after the other, the clock read around each."""

    @abstractmethod
    def peak_memory(self, program: str, phase: Phase) -> PeakMemory:
        """Most memory held during one call of a phase."""

    @abstractmethod
    def held_bytes(self, program: str) -> HeldBytes:
        """What the program's weights and slots take."""

    @abstractmethod
    def audit(self, program: str, calls: int, phases: tuple[Phase, ...]) -> Audit:
        """What the bench finds wrong with its own times of inference, and with steps.

        phases: those that may be called.
        """

    @abstractmethod
    def audit_rate(self, program: str, phase: Phase, calls: int, trains: bool) -> RateAudit:
        """What speaks against a rate near or above the measured peak."""

    @abstractmethod
    def energy(self, program: str, phase: Phase) -> Energy | None:
        """Joules a call; None where the device has no counter."""

    @abstractmethod
    def device_call_s(self, program: str, phase: Phase, calls: int) -> float | None:
        """Seconds a call by the device's own clock; None where it has none beside the host's."""

    @abstractmethod
    def profile(self, program: str, phase: Phase, calls: int) -> Profiled:
        """Calls of a phase looked into by the framework's own tools."""

    @abstractmethod
    def figures(self, program: str, phase: Phase) -> CallFigures:
        """What the program and this process count of a call of a phase, off the clock."""

    @abstractmethod
    def machine_peaks(self) -> Peaks:
        """The best rates that this arm reaches in products and in streaming memory."""

    @abstractmethod
    def describe(self, program: str) -> ProgramDescription:
        """What a program says of itself by now."""

    @abstractmethod
    def drop(self, program: str) -> None:
        """Close a program."""
