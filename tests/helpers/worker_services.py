"""Services for real worker processes that misbehave in real ways."""

import atexit
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any


class Ending:
    """Writes into a file what happens to it as its process ends."""

    def __init__(self, path):
        self._file, self._write = os.open(path, os.O_WRONLY | os.O_CREAT), os.write

    def note(self, text):
        self._write(self._file, text.encode())

    def __del__(self):
        self.note(", taken apart")


class Rogue:
    """Each method is one way in which a framework can go wrong, or right."""

    def add(self, a: int, b: int) -> int:
        return a + b

    def echo(self, value: Any) -> Any:
        return value

    def sleep(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    def fail(self, message: str) -> None:
        raise ValueError(message)

    def unsendable(self) -> Any:
        return {"inner": [object()]}

    def mistyped(self) -> int:
        return "three"

    def die(self, number: int) -> None:
        os.kill(os.getpid(), number)
        time.sleep(60)

    def leave(self, status: int) -> None:
        sys.exit(status)

    def shout(self, size: int) -> int:
        """Rubbish to Python's streams, and to the descriptors beneath them as a C library would."""
        print("x" * size)
        print("e" * size, file=sys.stderr)
        os.write(1, b"from C, to 1\n")
        os.write(2, b"from C, to 2\n")
        return size

    def burn(self) -> None:
        """Go on burning CPU in a thread after the answer, as a library's spinning pool does."""

        def spin():
            while True:
                pass

        threading.Thread(target=spin, daemon=True).start()

    def spawn(self) -> int:
        """A grandchild that holds every descriptor it can get."""
        return subprocess.Popen(["sleep", "300"], close_fds=False).pid

    def spawn_family(self) -> tuple[int, ...]:
        """Grandchildren in this group, in a session of their own, stopped there,
        and a daemon that hides its origin.
        """
        sleep = ["sleep", "300"]
        near = subprocess.Popen(sleep)
        apart = subprocess.Popen(sleep, start_new_session=True)
        stopped = subprocess.Popen(sleep, start_new_session=True)
        os.kill(stopped.pid, signal.SIGSTOP)
        daemon = subprocess.run(
            ["sh", "-c", "setsid env -i sleep 300 >/dev/null 2>&1 & echo $!"], capture_output=True
        )
        return near.pid, apart.pid, stopped.pid, int(daemon.stdout)

    def fork_and_die(self) -> None:
        """A forked grandchild keeps the pipes open after the worker itself is gone."""
        if os.fork():
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(300)

    def hold_the_lock(self) -> None:
        """Sleep inside C with the interpreter's lock held: no other thread of Python can run."""
        ctypes.PyDLL(None).sleep(300)

    def environment(self, name: str) -> str | None:
        return os.environ.get(name)

    def flood(self) -> None:
        """Print without end, faster than anyone reads."""
        for _ in range(4):
            subprocess.Popen(["yes", "x" * 1000])

    def count(self, until: int) -> None:
        """Many lines, each known."""
        print(*range(until), sep="\n")

    def note_its_end(self, path: str) -> None:
        """Something of this module that exit handlers and Python's own end reach."""
        self.ending = Ending(path)
        atexit.register(self.ending.note, "exit handlers")

    def stdin(self) -> str:
        return sys.stdin.read()

    def _private(self) -> str:
        return "out of reach"


class Stillborn:
    """A service that cannot be made."""

    def __init__(self):
        raise ImportError("no such framework")
