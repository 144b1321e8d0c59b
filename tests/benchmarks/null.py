"""A worker's service that holds the no-op program alone: what is left is the harness, its messages included."""

from dnnbench.worker.bench import Bench
from dnnbench.worker.noop import NoopProgram


class Null:
    """A worker's service that is asked for nothing."""

    def __init__(self):
        self._bench = Bench(NoopProgram(), None, settle_s=0.0)

    def nothing(self) -> None:
        """An answer without content."""

    def visit(self, key: str, phase: str, calls: int) -> float:
        """As `Service.visit`, with the no-op program at the bench."""
        return self._bench.visit(phase, calls).seconds
