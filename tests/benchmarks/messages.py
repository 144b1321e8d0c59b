"""The no-op program behind a pipe, asked in the messages of a run or in plain dicts: what is left is the harness."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dnnbench.host.affinity import confine
from dnnbench.worker.noop import noop_bench
from dnnbench.worker.services.timing import Visit, VisitRequest
from dnnbench.worker.wire import Channel, ConnectionClosed


class Messages:
    """A worker's service that answers at once."""

    def __init__(self):
        self._bench = noop_bench()

    def nothing(self) -> None:
        """An answer without content."""

    def visit(self, request: VisitRequest) -> Visit:
        """As `TimingService.visit`, with the no-op program at the bench."""
        return self._bench.visit(request.phase, request.calls, request.timing)


@contextmanager
def plain_process(cpus: list[int]) -> Iterator[Channel]:
    """A process that answers the same visits, asked and answered in dicts that no codec reads."""
    (inlet, to_child), (from_child, outlet) = os.pipe(), os.pipe()
    numbers = [str(number) for number in (inlet, outlet, *cpus)]
    command = [sys.executable, str(Path(__file__)), *numbers]
    with subprocess.Popen(command, pass_fds=(inlet, outlet)):
        os.close(inlet)
        os.close(outlet)
        channel = Channel(from_child, to_child)
        yield channel
        channel.close()


def ask_plainly(channel: Channel, method: str, **arguments) -> dict:
    """The answer of such a process."""
    channel.send({"method": method, "arguments": arguments}, 10)
    return channel.receive(10)["ok"]


def answer_plainly(channel: Channel) -> None:
    bench = noop_bench()
    while True:
        arguments = channel.receive()["arguments"]
        visit = bench.visit(arguments["phase"], arguments["calls"], arguments["timing"])
        channel.send({"ok": {"seconds": visit.seconds, "waited_share": visit.waited_share}})


def main() -> None:
    inlet, outlet, *cpus = map(int, sys.argv[1:])
    confine(cpus)
    with suppress(ConnectionClosed):
        answer_plainly(Channel(inlet, outlet))


if __name__ == "__main__":
    main()
