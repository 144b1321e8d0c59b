"""pytest-benchmark fed with what dnnbench measured, instead of what its own clock would."""

from collections.abc import Iterable
from typing import Any


class Replay:
    """A clock that stands still but for the seconds of each visit that is played back.

    `@pytest.mark.benchmark(timer=replay)` gives it to a test.
    """

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        return self._now_s

    def play(self, benchmark: Any, call_s: Iterable[float], calls: int = 1) -> None:
        """Record each number of seconds a call as one round of `benchmark`, of so many calls."""
        each_s = [float(seconds) for seconds in call_s]
        following = iter([seconds for seconds in each_s for _ in range(calls)])

        def call() -> None:
            self._now_s += next(following, 0.0)  # once more after the rounds, for its result

        benchmark.pedantic(call, rounds=len(each_s), iterations=calls)


replay = Replay()
