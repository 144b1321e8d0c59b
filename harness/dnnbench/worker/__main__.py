"""The program of a worker process: `python -m dnnbench.worker`.

It answers requests from one pipe on another, one at a time.
When the run ends its supervisor kills it, whatever it is doing, and all that it started.
"""

import argparse
import atexit
import ctypes
import faulthandler
import os
import platform
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from ..host.affinity import confine, confine_threads, current_mask, parse
from .messages import Message, answer, read_request, write_failure
from .offer import Answering, find, load, offered_by
from .services.process import Hello, ProcessService
from .wire import Channel, ConnectionClosed, Unsendable

SERVICE = "dnnbench.worker.server.offer:WorkerServices"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the parent says `close` or is gone.

    The mask is set before any framework is imported.
    """
    options = _options(argv)
    confine(parse(options.cpus))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    process = Process()
    atexit.register(leave, process)  # the first to be registered is the last to be called
    serve(process, Channel(options.inlet, options.outlet), options.service)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dnnbench.worker")
    for name in ("inlet", "outlet"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--cpus", default="")
    parser.add_argument("--service", default=SERVICE)
    return parser.parse_args(argv)


def serve(process: "Process", channel: Channel, service: str) -> None:
    """Answer until `close` or the end of the pipe.

    The service is made at the first request for it.
    """
    methods = Methods(process, service)
    with suppress(ConnectionClosed):
        while not process.closed:
            _answer(channel, methods, channel.receive())


class Process(ProcessService):
    """Answers for the process."""

    def __init__(self) -> None:
        self.closed = False

    def hello(self) -> Hello:
        return Hello(os.getpid(), platform.python_version(), tuple(current_mask()))

    def end_first(self) -> None:
        Path("/proc/self/oom_score_adj").write_text("1000")

    def move(self, cpus: tuple[int, ...]) -> None:
        confine_threads(cpus)

    def close(self) -> None:
        self.closed = True


def leave(process: Process) -> None:
    """End a process that was closed where it stands, once everything that runs at exit has run.

    Python would take a framework apart piece by piece, for a second of CPU time.
    """
    if process.closed:
        sys.stdout.flush()
        sys.stderr.flush()
        ctypes.CDLL(None).fflush(None)  # what C printed
        os._exit(0)


class Methods:
    """Finds the method that a request names: the process's own at once, others in the service,
    which is then made.
    """

    def __init__(self, process: Process, service: str) -> None:
        self._service, self._made = service, False
        self._methods = offered_by(process)

    def find(self, name: str) -> Answering:
        if name in self._methods:
            return self._methods[name]
        if not self._made:
            self._methods |= offered_by(load(self._service))
            self._made = True
        return find(self._methods, name)


def _answer(channel: Channel, methods: Methods, data: Any) -> None:
    """Send what the method returned or raised: a run survives one cell's failure,
    so any Exception goes.
    """
    try:
        request = read_request(data)
        message = answer(*methods.find(request.method), request)
    except Exception as error:
        message = _failure(error)
    try:
        channel.send(message.data, arrays=message.arrays)
    except Unsendable as error:
        channel.send(_failure(error).data)


def _failure(error: Exception) -> Message:
    traceback.print_exception(error)
    return write_failure(error)


if __name__ == "__main__":
    sys.exit(main())
