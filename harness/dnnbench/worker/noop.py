"""The no-op program: what is left of a call's time is the harness."""

from .bench import Bench


class NoopProgram:
    """All that a visit asks of a Program, and none of it does anything."""

    def put(self, batch: object) -> None:
        return None

    infer = forward = loss = gradients = train_step = put

    def wait(self, result: object) -> None:
        return None

    def snapshot(self) -> None:
        return None

    restore = wait


def noop_bench() -> Bench:
    """The no-op program at the bench, whose visits begin without untimed calls."""
    return Bench(NoopProgram(), None, settle_s=0.0)  # type: ignore[arg-type]  # visits need no more of a Program
