"""A network that is timed, dnnbench's program or a twin, in one loop for both."""

import gc
import time
from dataclasses import dataclass

import numpy as np
from dnnbench.host.clock import now
from dnnbench.spec.phases import MUTATING
from dnnbench.worker.bench import settle

PROGRAM = "dnnbench"


@dataclass(frozen=True)
class Timed:
    """Seconds of some calls by the clock, and by the process's CPUs."""

    wall_s: float
    cpu_s: float


class ProgramSide:
    """dnnbench's program with its batch."""

    def __init__(self, program, batch):
        self._program, self._placed = program, program.put(batch)
        self._first = program.snapshot()

    def begin(self, phase):
        """Back to the first weights where calls change them."""
        if phase in MUTATING:
            self._program.restore(self._first)

    def start_from(self, weights):
        """Other first weights."""
        self._program.load(weights)
        self._first = self._program.snapshot()

    def call(self, phase):
        return getattr(self._program, phase)(self._placed)

    def wait(self, result):
        self._program.wait(result)

    def read(self, phase, result):
        """Arrays by name."""
        return {
            name: array
            for name, array in self._program.get(result).items()
            if not name.startswith("state/")
        }

    def weights(self):
        return self._program.weights() | self._program.model_state()


class TwinSide:
    """A twin with its batch."""

    def __init__(self, twin, batch, output):
        self._twin, self._placed = twin, twin.put(batch)
        self._output = f"outputs/{output}"
        self.wait = twin.wait

    def begin(self, phase):
        """Its mode, and the first weights."""
        self._twin.begin(phase)

    def call(self, phase):
        return getattr(self._twin, phase)(self._placed)

    def read(self, phase, result):
        """Arrays by dnnbench's names."""
        arrays = self._twin.read(phase, result)
        return {
            self._output if name == "outputs" else name: np.array(array)
            for name, array in arrays.items()
        }

    def weights(self):
        return self._twin.weights()


def visit(side, phase: str, calls: int) -> Timed:
    """So many calls on the clock, each waited for, after a restart and untimed calls."""
    side.begin(phase)
    settle(lambda: side.call(phase), side.wait)
    call, wait = side.call, side.wait
    gc.disable()
    try:
        cpu, start = time.process_time(), now()
        for _ in range(calls):
            wait(call(phase))
        elapsed = now() - start
        spent = time.process_time() - cpu
    finally:
        gc.enable()
    return Timed(elapsed, spent)
