"""A worker as its parent sees it: a child process that is asked, waited for,
and never outlives the run.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic

from ..errors import PluginError, WorkerError
from ..host.affinity import spell
from .__main__ import SERVICE
from .ended import WorkerLost, describe_exit, tail
from .idle_stop import IdleStop
from .liveness import Liveness
from .messages import Failure, Message, Method, P, R, read_answer, write_request
from .plain import Unreadable
from .services.process import ProcessService
from .supervised import Supervised, above_streams
from .wire import Channel, ConnectionClosed, NoAnswer, Unsendable

EXIT_GRACE_S = 2.0


def worker_argv(
    interpreter: str, cpus: Sequence[int], service: str, fds: Sequence[int]
) -> list[str]:
    """The command line of a worker; fds: its ends of the pipes for requests and answers."""
    inlet, outlet = (str(fd) for fd in fds)
    pipes = ["--inlet", inlet, "--outlet", outlet]
    return [
        interpreter,
        "-m",
        "dnnbench.worker",
        *pipes,
        "--cpus",
        spell(cpus),
        "--service",
        service,
    ]


class Worker:
    """One worker process. `ask` sends and waits; `send` alone lets several work at once.

    label: names the arm in errors.
    environment: all of its variables (see `environment.worker_environment`). log:
    file that keeps what it prints, by Python or by C, at most its head and its tail;
    it stays where an error names it, else it goes with the worker.
    cpus: its mask, set before any framework is imported; empty for the parent's.
    interpreter: another Python, if it can import dnnbench (see `sharing.lend_packages`).
    """

    def __init__(
        self,
        label: str,
        environment: Mapping[str, str],
        log: Path,
        *,
        cpus: Sequence[int] = (),
        interpreter: str = sys.executable,
        service: str = SERVICE,
    ) -> None:
        self.label, self.log = label, log
        self._doing: str | None = None
        self._lost: WorkerLost | None = None
        self._closed = self._leaving = False
        self._ending = threading.Lock()
        (inlet, to_child), (from_child, outlet) = _pipe(), _pipe()
        theirs = (inlet, outlet)
        try:
            self._process = Supervised(
                worker_argv(interpreter, cpus, service, theirs), environment, log, theirs
            )
        except OSError as error:
            _close_all(to_child, from_child)
            raise WorkerError(
                f"{label}: cannot start {interpreter} ({error.strerror}); name a Python"
            ) from None
        finally:
            _close_all(*theirs)
        self._life = Liveness(self._process.pid)
        self._idle_stop = IdleStop(self._process)
        self._channel = Channel(from_child, to_child, self._life.may_answer)

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its process group."""
        return self._process.pid

    def ask(
        self, method: Method[P, R], timeout_s: float, /, *arguments: P.args, **named: P.kwargs
    ) -> R:
        """The answer of a service's method, such as `TimingService.visit`.
        Raises as `send` and `receive` do.
        """
        self._send(write_request(method, *arguments, **named), method.__name__, timeout_s)
        return self.receive(method, timeout_s)

    def send(
        self, method: Method[P, R], timeout_s: float, /, *arguments: P.args, **named: P.kwargs
    ) -> "Pending[P, R]":
        """Ask without waiting for the answer.
        Raises WorkerLost if the worker is gone or reads nothing.
        """
        self._send(write_request(method, *arguments, **named), method.__name__, timeout_s)
        return Pending(self, method)

    def _send(self, request: Message, doing: str, timeout_s: float) -> None:
        self._ready_to("send", busy=False)
        self._doing = doing
        self._idle_stop.busy()
        with self._watched(timeout_s):
            self._channel.send(request.data, timeout_s, request.arrays)

    def receive(self, method: Method[P, R], timeout_s: float) -> R:
        """The answer to the last `send`, which asked for `method`.

        Raises WorkerError with the kind, the message and the log of what the method raised,
        after which the worker goes on; WorkerLost if the process ended or did not answer
        in `timeout_s` seconds, after which it is gone.
        """
        self._ready_to("receive", busy=True)
        with self._watched(timeout_s):
            data = self._channel.receive(timeout_s)
        self._doing = None
        self._idle_stop.idle()
        try:
            answer = read_answer(method, data)
        except Unreadable as error:
            where = f"{self.label}: {method.__name__}: the answer cannot be read: {error}"
            raise WorkerError(where, kind=type(error).__name__) from None
        if isinstance(answer, Failure):
            raise self._error(method.__name__, answer)
        return answer

    def stop_when_idle(self) -> None:
        """From now on the process is stopped between a request's answer and the next one:
        it uses CPU while it waits.
        """
        self._idle_stop.begin(busy=self._doing is not None)

    def new_pauses(self) -> int:
        """How often since the last question others stopped the process, or this one did not run
        while it waited for it.
        """
        count = self._channel.pauses + self._idle_stop.new_stops(busy=self._doing is not None)
        self._channel.pauses = 0
        return count

    def close(self, timeout_s: float = 5.0) -> None:
        """End the process and all that it started: by request if idle, by force if busy or after
        `timeout_s`.
        """
        if self._closed:
            return
        self.ask_to_end(timeout_s)
        if self._leaving:
            self._life.ended_within(timeout_s)
        self._end()

    def ask_to_end(self, timeout_s: float = 5.0) -> None:
        """Have an idle process end and do not wait, so that several end together; `close` waits.

        Nothing for a busy one, which `close` ends by force.
        """
        if self._closed or self._leaving or self._lost is not None or self._doing is not None:
            return
        self._idle_stop.busy()
        with contextlib.suppress(WorkerError):
            self._channel.send(write_request(ProcessService.close).data, timeout_s)
            self._leaving = True

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready_to(self, verb: str, busy: bool) -> None:
        if self._lost is not None:
            raise self._lost
        if self._closed or busy != (self._doing is not None):
            state = (
                "closed" if self._closed else f"busy with {self._doing}" if self._doing else "idle"
            )
            raise WorkerError(
                f"{self.label}: cannot {verb}: the worker is {state}; "
                "pair each send with one receive"
            )

    @contextlib.contextmanager
    def _watched(self, timeout_s: float) -> Iterator[None]:
        """Turn a broken conversation into WorkerLost, with nothing of the worker left running."""
        self._life.begin()
        try:
            yield
        except ConnectionClosed:
            if self._life.given_up:
                self._lose(f"stopped from outside (state T) and not let go on ({self._doing})")
            self._life.ended_within(EXIT_GRACE_S)
            self._lose(self._death())
        except NoAnswer:
            self._lose(f"no answer in {timeout_s:g} s ({self._doing})")
        except Unsendable:
            self._doing = None
            raise

    def _lose(self, reason: str) -> None:
        self._process.keep_log()
        self._end()
        self._lost = WorkerLost(self.label, reason, self.log)
        raise self._lost from None

    def _end(self) -> None:
        with (
            self._ending
        ):  # an interrupted run closes a worker that one of its threads still waits for
            if not self._closed:
                self._process.end()
                self._closed = True
                self._channel.close()

    def _death(self) -> str:
        """How the process ended, in words; what runs on after closing its pipe is killed first."""
        if self._life.running():
            return f"closed its pipe and ran on ({self._doing})"
        code = self._process.exit_code()
        return "its supervisor was killed" if code is None else describe_exit(code)

    def _error(self, doing: str, failure: Failure) -> WorkerError:
        """A PluginError is an answer in words.

        Of anything else the reader wants to know where it happened.
        """
        self._process.flush_log()
        if failure.kind == PluginError.__name__:
            return WorkerError(failure.message, kind=failure.kind, log=tail(self.log))
        self._process.keep_log()
        where = (
            f"{self.label}: {doing}: {failure.kind}: {failure.message}; "
            f"the traceback is in {self.log}"
        )
        return WorkerError(where, kind=failure.kind, log=tail(self.log))


class Pending(Generic[P, R]):
    """A request that a worker is at, whose answer is still to be received."""

    def __init__(self, worker: Worker, method: Method[P, R]) -> None:
        self._worker, self._method = worker, method

    def receive(self, timeout_s: float) -> R:
        """The answer.  Raises as `Worker.receive` does."""
        return self._worker.receive(self._method, timeout_s)


def _pipe() -> tuple[int, int]:
    reading, writing = (above_streams(end) for end in os.pipe())
    return reading, writing


def _close_all(*fds: int) -> None:
    for fd in fds:
        os.close(fd)
