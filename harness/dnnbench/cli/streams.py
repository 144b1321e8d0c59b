"""The process's standard streams: one that is closed, one that takes no more."""

import os
import sys


def open_closed_streams() -> None:
    """Put nothing in place of each stream that is closed.

    A file that is opened later would take its number, and print() would write on stdout what
    is meant for stderr.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stderr is None:
        # It stays open until the process ends.
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def flush_or_drop_stdout() -> None:
    """Write what is still in stdout's buffer.

    Where that fails drop it, for Python would complain of it at its end.
    """
    try:
        sys.stdout.flush()
    except OSError:
        drop_stdout()


def drop_stdout() -> None:
    """Send what is still in stdout's buffer, and all that follows, to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
