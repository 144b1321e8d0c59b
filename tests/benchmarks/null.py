"""A null arm: what is left when the network costs nothing is the harness."""

from dnnbench.measure.bench import Bench


class NullProgram:
    """All that a Bench asks of a Program, and none of it does anything."""

    def put(self, batch):
        return None

    def infer(self, batch):
        return None

    forward = loss = gradients = train_step = infer

    def wait(self, result):
        return None

    def snapshot(self):
        return None

    restore = wait


class Null:
    """A worker's service that is asked for nothing."""

    def __init__(self):
        self._bench = Bench(NullProgram(), None)

    def nothing(self) -> None:
        """An answer without content."""

    def visit(self, key: str, phase: str, calls: int) -> float:
        """As `Service.visit`, with the null arm at the bench."""
        return self._bench.visit(phase, calls)
