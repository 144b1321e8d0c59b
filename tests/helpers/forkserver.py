"""dnnbench's command line, each in a process of its own that finds its modules imported.

Importing what a command wants of pandas, SQLAlchemy and SciPy takes over a second of CPU time, and
dnnbench 0.3 s, and the tests call hundreds of commands.  A process that has imported them forks for
each: the command has its own working directory, environment, streams, signals and exit code, as if
it had been started from a shell.

`python -m helpers.forkserver FD PACKAGE...` serves on a socket until its other end is closed, with
every module of the packages.  A command some of whose attributes are changed wants a server without
dnnbench, whose modules copy names of each other when they are imported.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from pkgutil import walk_packages
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
PACKAGES = ("dnnbench", "dnnbench_workloads")
APART = ("dnnbench.testing", "dnnbench.worker.__main__", "dnnbench.__main__")
"""Modules of pytest's, and those that run when they are imported."""


@dataclass(frozen=True)
class Command:
    """What is to run; `changes` as helpers.changed takes them."""

    arguments: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    changes: dict[str, Any]


class Forkserver:
    """The server as the tests see it: started at the first command, ended with the session."""

    def __init__(self, environment: Mapping[str, str], packages: Sequence[str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "helpers.forkserver", str(theirs.fileno()), *packages],
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
            try:
                texts = _both(out, errors, pid, limit_s, command.arguments)
            finally:  # the next command's answer must not be this one's
                status = int(self._socket.recv(MOST_BYTES))
        code = os.waitstatus_to_exitcode(status)
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


def import_all(packages: Iterable[str]) -> None:
    """Every module of the packages, but those apart.

    What is imported is out of the garbage collector's sight: a fork that frees it at its end would
    copy every page of it.
    """
    for package in map(import_module, packages):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(APART):
                import_module(module.name)
    gc.collect()
    gc.freeze()


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
    wanted = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [folder for folder in wanted if folder and folder not in sys.path]

    from helpers.changed import changed_main

    return changed_main(command.changes, command.arguments)


if __name__ == "__main__":
    _, fd, *wanted = sys.argv
    for library in LIBRARIES:
        import_module(library)
    import_all(wanted)
    asked = serve(socket.socket(fileno=int(fd)))
    sys.exit(become(asked) if asked else 0)
