"""What every client does: ask one method of its service and wait, for a while."""

from dataclasses import dataclass
from typing import Protocol, Self

from ..messages import Method, P, R

BUILD_TIMEOUT_S = 600.0
"""For a start, a build, a compilation or a check: torch.compile has been seen to take 40 s
on two busy cores.
"""


class Asker(Protocol):
    """Whoever can bring a request to a worker, and its answer back:
    the worker itself, or a pool that replaces it.
    """

    def ask(
        self, method: Method[P, R], timeout_s: float, /, *arguments: P.args, **named: P.kwargs
    ) -> R:
        """The answer.
        Raises WorkerError for what the method raised, WorkerLost if the process is gone.
        """


@dataclass(frozen=True)
class Client:
    """Asks through `asker`, and gives up a worker that does not answer within
    `timeout_s` seconds.
    """

    asker: Asker
    timeout_s: float = BUILD_TIMEOUT_S

    def within(self, timeout_s: float) -> Self:
        """The same client with another patience."""
        return type(self)(self.asker, timeout_s)
