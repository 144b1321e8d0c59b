"""A worker's service: one step at the product's own bench."""

import resource

from dnnbench.host.clock import now
from dnnbench.worker.bench import Bench
from dnnbench.worker.services.timing import WarmCall

from .step import STEPS, Stepping

PHASE = "infer"


class Study:
    """Holds the one step that `build` makes."""

    def build(self, step: str, repeats: int) -> float:
        """Seconds to import what the step needs, build it and call it first."""
        begin = now()
        self._bench = Bench(Stepping(STEPS[step].make(repeats)), None)
        self._bench.first_call(PHASE)
        return now() - begin

    def warm_up(self) -> WarmCall:
        """Seconds of a warm call, and whether it settled."""
        return self._bench.warm_up(PHASE)

    def visit(self, calls: int) -> float:
        """Seconds of so many calls, after one untimed."""
        return self._bench.visit(PHASE, calls).seconds

    def switches(self) -> int:
        """Involuntary context switches of all threads of this process so far."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
