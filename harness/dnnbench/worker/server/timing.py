"""Programs at the bench of this process."""

import resource
from collections.abc import Mapping

import numpy as np

from ...agreement.probe import product_bits
from ...errors import PluginError
from ...host.affinity import spell, threads_mask
from ...host.clock import now
from ...host.energy import meter
from ...protocol.program import Program
from ...protocol.timing import Timing
from ...spec.phases import Phase
from ...spec.workload import Workload
from ..audit import Audit
from ..bench import Bench
from ..control import Control
from ..description import ProgramDescription
from ..noop import noop_bench
from ..peaks import Peaks, measure_peaks
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
from .arm import ArmServer


class TimingServer(TimingService):
    """Holds a bench for every program that was built and not dropped."""

    def __init__(self, arm: ArmServer) -> None:
        self._arm = arm
        self._benches: dict[str, Bench] = {}
        self._control: Control | None = None
        self._noop: Bench | None = None
        self._product_bits: float | None = None

    def control(self, calls: int) -> float:
        if self._control is None:
            self._control = Control()
        return self._control.visit(calls)

    def noop(self, calls: int, timing: Timing) -> float:
        if self._noop is None:
            self._noop = noop_bench()
        return self._noop.visit("infer", calls, timing).seconds

    def switches(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw

    def build(self, request: BuildRequest) -> Built:
        capabilities = self._arm.capabilities(request.workload, self._arm.arm.dtype)
        offered = [phase for phase in request.phases if phase in capabilities.offered]
        missing = {
            phase: reason
            for phase, reason in capabilities.missing.items()
            if phase in request.phases
        }
        if not offered:
            raise PluginError("; ".join(dict.fromkeys(missing.values())))
        begin = now()
        program = self._arm.build(request.workload, request.weights, request.seed)
        build_s = now() - begin
        bench = self._benches[request.program] = Bench(program, request.batch, offered)
        impossible = dict.fromkeys(
            bench.impossible(offered), f"{self._arm.arm.name} cannot run this piece alone"
        )
        return Built(build_s, self.describe(request.program), missing | impossible)

    def first_call(self, program: str, phase: Phase) -> float:
        return self._benches[program].first_call(phase)

    def warm_up(self, program: str, phase: Phase) -> WarmCall:
        return self._benches[program].warm_up(phase)

    def visit(self, request: VisitRequest) -> Visit:
        return self._benches[request.program].visit(request.phase, request.calls, request.timing)

    def single_calls(self, program: str, phase: Phase, calls: int) -> SingleCalls:
        return SingleCalls(self._benches[program].single_calls(phase, calls))

    def peak_memory(self, program: str, phase: Phase) -> PeakMemory:
        return self._benches[program].peak_memory(phase)

    def held_bytes(self, program: str) -> HeldBytes:
        return self._benches[program].held_bytes()

    def audit(self, program: str, calls: int, phases: tuple[Phase, ...]) -> Audit:
        return self._benches[program].audit(calls, phases)

    def audit_rate(self, program: str, phase: Phase, calls: int, trains: bool) -> RateAudit:
        return self._benches[program].audit_rate(phase, calls, trains)

    def energy(self, program: str, phase: Phase) -> Energy | None:
        counter = meter(self._arm.arm.device)
        if counter is None:
            return None
        return Energy(self._benches[program].energy(phase, counter), counter.source)

    def device_call_s(self, program: str, phase: Phase, calls: int) -> float | None:
        return self._benches[program].device_call_s(phase, calls)

    def profile(self, program: str, phase: Phase, calls: int) -> Profiled:
        return self._benches[program].profile(phase, calls)

    def figures(self, program: str, phase: Phase) -> CallFigures:
        return self._benches[program].figures(phase)

    def machine_peaks(self) -> Peaks:
        return measure_peaks(self._unchecked_program, self._arm.arm.precision.itemsize)

    def describe(self, program: str) -> ProgramDescription:
        bench = self._benches[program]
        product_bits = (
            self._measured_product_bits()
        )  # first: its threads are among those that are looked at
        return bench.describe(product_bits, spell(threads_mask()))

    def drop(self, program: str) -> None:
        self._benches.pop(program).close()

    def _measured_product_bits(self) -> float:
        """Once a process: the same kernels serve every program."""
        if self._product_bits is None:
            self._product_bits = round(product_bits(self._unchecked_program), 1)
        return self._product_bits

    def _unchecked_program(self, workload: Workload, weights: Mapping[str, np.ndarray]) -> Program:
        return self._arm.backend.build(workload, weights, self._arm.arm)
