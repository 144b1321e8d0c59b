"""The no-op program in a worker, asked in the messages of a run or in plain dicts:
what is left is the harness.
"""

import os
import sys
from typing import Any

from dnnbench.worker.noop import noop_bench
from dnnbench.worker.process import Worker
from dnnbench.worker.services.timing import Visit, VisitRequest
from dnnbench.worker.wire import Channel


class Messages:
    """A worker's service that answers at once."""

    def __init__(self):
        self._bench = noop_bench()

    def nothing(self) -> None:
        """An answer without content."""

    def visit(self, request: VisitRequest) -> Visit:
        """As `TimingService.visit`, with the no-op program at the bench."""
        return self._bench.visit(request.phase, request.calls, request.timing)

    def answer_plainly(self) -> None:
        """From now on the worker reads and writes dicts that no codec sees,
        as workers did before there was one.
        """
        inlet, outlet = (
            int(sys.argv[sys.argv.index(f"--{end}") + 1]) for end in ("inlet", "outlet")
        )
        channel = Channel(os.dup(inlet), os.dup(outlet))
        handlers = {"visit": self._plain_visit}
        while True:
            request = channel.receive()
            channel.send({"ok": handlers[request["method"]](**request["arguments"])})

    def _plain_visit(self, program: str, phase: str, calls: int, timing: str) -> dict[str, float]:
        visit = self._bench.visit(phase, calls, timing)
        return {"seconds": visit.seconds, "waited_share": visit.waited_share}


class PlainWorker:
    """Asks such a worker as `Worker.ask` does, but for the codec."""

    def __init__(self, worker: Worker):
        self._worker = worker
        worker.send(Messages.answer_plainly, 60)

    def call(self, method: str, timeout_s: float, **arguments: Any) -> Any:
        worker = self._worker
        worker._ready_to("receive", busy=True)
        worker._go_on_if_stopping()
        with worker._watched(timeout_s):
            worker._channel.send({"method": method, "arguments": arguments}, timeout_s)
        worker._ready_to("receive", busy=True)
        with worker._watched(timeout_s):
            answer = worker._channel.receive(timeout_s)
        worker._stop_if_stopping()
        return answer["ok"]
