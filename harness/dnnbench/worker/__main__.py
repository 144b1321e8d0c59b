"""The program of a worker process: `python -m dnnbench.worker`.

It answers requests from one pipe on another, one at a time. When the run ends its supervisor kills it, whatever it
is doing, and all that it started. Requests are {"method": ..., "arguments":
{...}}; answers are {"ok": result} or {"error": {"type": ..., "message": ...}}.
"""

import argparse
import faulthandler
import importlib
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..host.affinity import confine, current_mask, parse
from .wire import Channel, ConnectionClosed, Unsendable

SERVICE = "dnnbench.worker.service:Service"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the parent says `close` or is gone; the mask is set before any framework is imported."""
    options = _options(argv)
    confine(parse(options.cpus))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    sys.stdout.reconfigure(line_buffering=True)
    serve(Channel(options.inlet, options.outlet), options.service)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dnnbench.worker")
    for name in ("inlet", "outlet"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--cpus", default="")
    parser.add_argument("--service", default=SERVICE)
    return parser.parse_args(argv)


def serve(channel: Channel, service: str) -> None:
    """Answer until `close` or the end of the pipe; the service is made at the first request for it."""
    handlers = _Handlers(service)
    with suppress(ConnectionClosed):
        while (request := channel.receive())["method"] != "close":
            _answer(channel, handlers, request)
        channel.send({"ok": None})


def _answer(channel: Channel, handlers: "_Handlers", request: dict) -> None:
    """Send what the handler returned or raised: a run survives one cell's failure, so any Exception goes."""
    try:
        answer = {"ok": handlers.find(request["method"])(**request["arguments"])}
    except Exception as error:
        answer = _failure(error)
    try:
        channel.send(answer)
    except Unsendable as error:
        channel.send(_failure(error))


def _failure(error: Exception) -> dict:
    traceback.print_exception(error)
    return {"error": {"type": type(error).__name__, "message": str(error)}}


class _Handlers:
    """Finds methods by name: `hello` here, all others as public methods of the service."""

    def __init__(self, service: str) -> None:
        self._name, self._service = service, None

    def find(self, method: str) -> Callable[..., Any]:
        if method == "hello":
            return hello
        if self._service is None:
            self._service = _load(self._name)()
        found = None if method.startswith("_") else getattr(self._service, method, None)
        if not callable(found):
            raise AttributeError(f"{self._name} has no method '{method}'")
        return found


def _load(name: str) -> Callable[[], Any]:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def hello() -> dict:
    """Who answers: process id, Python's version, and the CPUs it is confined to."""
    return {"pid": os.getpid(), "python": platform.python_version(), "cpus": current_mask()}


if __name__ == "__main__":
    sys.exit(main())
