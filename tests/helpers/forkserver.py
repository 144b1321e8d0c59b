"""dnnbench's command line, each in a process of its own that finds the libraries imported.

Importing what a command wants of pandas, SQLAlchemy and SciPy takes over a second of CPU time, and
the tests call hundreds of commands.  A process that has imported them, and nothing of dnnbench,
forks for each: the command has its own working directory, environment, streams, signals and exit
code, as if it had been started from a shell.

`python -m helpers.forkserver FD` serves on a socket until its other end is closed.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

STREAMS = 3
MOST_BYTES = 1 << 20
LIBRARIES = (
    "jinja2",
    "pandas",
    "psutil",
    "pydantic",
    "rich_click",
    "scipy.special",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
)
"""What the commands that take longest to start import."""


@dataclass(frozen=True)
class Command:
    """What is to run; `changes` as helpers.changed takes them."""

    arguments: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    changes: dict[str, Any]


class Forkserver:
    """The server as the tests see it: started at the first command, ended with the session."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "helpers.forkserver", str(theirs.fileno())],
                env={**environment, "OPENBLAS_NUM_THREADS": "1"},  # a fork keeps one thread alone
                pass_fds=[theirs.fileno()],
            )

    def run(self, command: Command, limit_s: float) -> "subprocess.CompletedProcess[str]":
        """What the command says and its exit code; TimeoutExpired, and the command killed,
        where it takes longer.
        """
        outlet, inlet = os.pipe(), os.pipe()
        with open(outlet[0]) as out, open(inlet[0]) as errors:
            fds = [0, outlet[1], inlet[1]]
            socket.send_fds(self._socket, [json.dumps(asdict(command)).encode()], fds)
            for fd in fds[1:]:
                os.close(fd)
            pid = int(self._socket.recv(MOST_BYTES))
            texts = _both(out, errors, pid, limit_s, command.arguments)
        code = os.waitstatus_to_exitcode(int(self._socket.recv(MOST_BYTES)))
        return subprocess.CompletedProcess(command.arguments, code, *texts)

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


def _both(out, errors, pid, limit_s, arguments) -> list[str]:
    """All that comes of both streams, until their ends are closed."""
    with ThreadPoolExecutor(2) as readers:
        reading = [readers.submit(stream.read) for stream in (out, errors)]
        try:
            return [one.result(limit_s) for one in reading]
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, limit_s) from None


def serve(channel: socket.socket) -> Command | None:
    """Fork for every command.  Returns the command in the process that is to run it, and None in
    the server, once nobody wants more.
    """
    while True:
        data, fds, _, _ = socket.recv_fds(channel, MOST_BYTES, STREAMS)
        if not data:
            return None
        pid = os.fork()
        if not pid:
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
            for fd in (*fds, channel.fileno()):
                os.close(fd)
            return Command(**json.loads(data))
        for fd in fds:
            os.close(fd)
        channel.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        channel.send(str(status).encode())


def become(command: Command) -> int:
    """Run the command in this process; its exit code."""
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)

    from helpers.changed import changed_main

    return changed_main(command.changes, command.arguments)


if __name__ == "__main__":
    for library in LIBRARIES:
        import_module(library)
    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    sys.exit(become(asked) if asked else 0)
