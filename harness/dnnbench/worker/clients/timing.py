"""Asks a worker to time programs."""

from ...protocol.timing import Timing
from ...spec.phases import Phase
from ..audit import Audit
from ..description import ProgramDescription
from ..peaks import Peaks
from ..rate_audit import RateAudit
from ..services.timing import (
    BuildRequest,
    Built,
    CallFigures,
    Energy,
    HeldBytes,
    PeakMemory,
    Profiled,
    SingleCalls,
    TimingService,
    Visit,
    VisitRequest,
    WarmCall,
)
from .base import Client


class TimingClient(Client, TimingService):
    """`TimingService` of a worker."""

    def control(self, calls: int) -> float:
        return self.asker.ask(TimingService.control, self.timeout_s, calls)

    def noop(self, calls: int, timing: Timing) -> float:
        return self.asker.ask(TimingService.noop, self.timeout_s, calls, timing)

    def switches(self) -> int:
        return self.asker.ask(TimingService.switches, self.timeout_s)

    def build(self, request: BuildRequest) -> Built:
        return self.asker.ask(TimingService.build, self.timeout_s, request)

    def first_call(self, program: str, phase: Phase) -> float:
        return self.asker.ask(TimingService.first_call, self.timeout_s, program, phase)

    def warm_up(self, program: str, phase: Phase) -> WarmCall:
        return self.asker.ask(TimingService.warm_up, self.timeout_s, program, phase)

    def visit(self, request: VisitRequest) -> Visit:
        return self.asker.ask(TimingService.visit, self.timeout_s, request)

    def single_calls(self, program: str, phase: Phase, calls: int) -> SingleCalls:
        return self.asker.ask(TimingService.single_calls, self.timeout_s, program, phase, calls)

    def peak_memory(self, program: str, phase: Phase) -> PeakMemory:
        return self.asker.ask(TimingService.peak_memory, self.timeout_s, program, phase)

    def held_bytes(self, program: str) -> HeldBytes:
        return self.asker.ask(TimingService.held_bytes, self.timeout_s, program)

    def audit(self, program: str, calls: int, phases: tuple[Phase, ...]) -> Audit:
        return self.asker.ask(TimingService.audit, self.timeout_s, program, calls, phases)

    def audit_rate(self, program: str, phase: Phase, calls: int, trains: bool) -> RateAudit:
        return self.asker.ask(
            TimingService.audit_rate, self.timeout_s, program, phase, calls, trains
        )

    def energy(self, program: str, phase: Phase) -> Energy | None:
        return self.asker.ask(TimingService.energy, self.timeout_s, program, phase)

    def device_call_s(self, program: str, phase: Phase, calls: int) -> float | None:
        return self.asker.ask(TimingService.device_call_s, self.timeout_s, program, phase, calls)

    def profile(self, program: str, phase: Phase, calls: int) -> Profiled:
        return self.asker.ask(TimingService.profile, self.timeout_s, program, phase, calls)

    def figures(self, program: str, phase: Phase) -> CallFigures:
        return self.asker.ask(TimingService.figures, self.timeout_s, program, phase)

    def machine_peaks(self) -> Peaks:
        return self.asker.ask(TimingService.machine_peaks, self.timeout_s)

    def describe(self, program: str) -> ProgramDescription:
        return self.asker.ask(TimingService.describe, self.timeout_s, program)

    def drop(self, program: str) -> None:
        return self.asker.ask(TimingService.drop, self.timeout_s, program)
