"""The no-op program: what is left of a call's time is the harness."""

from ..spec.phases import Phase
from .bench import Bench


class NoopProgram:
    """All that a visit of inference asks of a Program, and none of it does anything."""

    def put(self, batch: object) -> None:
        return None

    infer = wait = put


def noop_bench() -> Bench:
    """The no-op program at the bench, whose visits begin without untimed calls."""
    # Visits need no more of a Program than this one has.
    return Bench(NoopProgram(), None, [Phase.INFER], settle_s=0.0)  # type: ignore[arg-type]
