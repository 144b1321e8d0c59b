"""A command that runs under a supervisor: nothing that it starts outlives it, nor this process."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from . import supervisor

START_S = 60.0
TELL_S = 5.0
"""For an answer of a supervisor, which has nothing else to do."""


class Supervised:
    """One running command; `pid` is its process id, and that of its session, until `end`.

    argv, environment: of the command.
    log: keeps the head and the tail of what it prints;
    removed at the end unless `keep_log` was called.
    fds: descriptors that the command gets.
    Raises OSError if it cannot be started.
    """

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], log: Path, fds: Sequence[int]
    ) -> None:
        self._heard: dict[str, int] = {}
        mine, theirs = (
            above_streams(end.detach())
            for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        )
        self._control = socket.socket(fileno=mine)
        try:
            self._process = _start(argv, environment, log, theirs, fds)
        except OSError:
            self._control.close()
            raise
        finally:
            os.close(theirs)
        self.pid = self._started()

    def _started(self) -> int:
        self._hear({"started", "refused"}, START_S)
        if "started" in self._heard:
            return self._heard["started"]
        self.end()
        number = self._heard.get("refused", 0)
        reason = os.strerror(number) if number else "its supervisor did not start it"
        raise OSError(number, reason)

    def exit_code(self, timeout_s: float = TELL_S) -> int | None:
        """Of the command, as `subprocess` counts them, once nothing that it started is left.

        None if the supervisor does not say it.
        """
        self._hear({"exited"}, timeout_s)
        return self._heard.get("exited")

    def flush_log(self) -> None:
        """Have what was printed until now in the log."""
        self._ask(b"write", "written")

    def was_stopped(self) -> bool:
        """Whether somebody stopped the command or let it go on since this was last asked,
        however shortly it was stopped.
        """
        self._ask(b"stops", "stops")
        return bool(self._heard.get("stops"))

    def forget_stop(self) -> None:
        """Have the next `was_stopped` count nothing that has happened until now."""
        self._tell(b"forget")

    def keep_log(self) -> None:
        """Leave the log behind at the end."""
        self._tell(b"keep")

    def end(self) -> None:
        """Kill the command and everything that it started; when this returns nothing is left."""
        self._control.close()
        self._process.send_signal(
            signal.SIGCONT
        )  # a supervisor that was stopped would not see the end
        self._process.wait()

    def _ask(self, message: bytes, answer: str) -> None:
        self._heard.pop(answer, None)
        self._tell(message)
        self._hear({answer}, TELL_S)

    def _tell(self, message: bytes) -> None:
        with suppress(OSError):  # the supervisor was killed, or another thread ended it
            self._control.send(message)

    def _hear(self, kinds: set[str], timeout_s: float) -> None:
        """Take messages until one is of these kinds, the time is up, or none can come any more."""
        deadline = time.monotonic() + timeout_s
        while not kinds & self._heard.keys():
            try:
                self._control.settimeout(max(deadline - time.monotonic(), 0.001))
                message = self._control.recv(supervisor.MESSAGE_BYTES)
            except OSError:  # the time is up, or another thread ended it
                return
            if not message:
                return
            kind, _, value = message.decode().partition(" ")
            self._heard[kind] = int(value or 0)


def above_streams(fd: int) -> int:
    """The same descriptor, moved above the standard streams, which a child replaces."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(fd)
    return moved


def _start(
    argv: Sequence[str], environment: Mapping[str, str], log: Path, control: int, fds: Sequence[int]
) -> "subprocess.Popen[bytes]":
    """The supervisor; isolated (-I -S), for the environment is the command's, not its own."""
    log.parent.mkdir(parents=True, exist_ok=True)
    handed = ",".join(str(fd) for fd in fds)
    command = [
        sys.executable,
        "-I",
        "-S",
        supervisor.__file__,
        str(control),
        handed,
        str(log),
        *argv,
    ]
    with log.open("a+b") as output:
        return subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(control, *fds),
            start_new_session=True,
        )
