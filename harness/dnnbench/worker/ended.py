"""How a worker ended, in words: what its errors say."""

import os
import signal
from pathlib import Path

from ..errors import WorkerError

TAIL_BYTES = 4096


class WorkerLost(WorkerError):
    """The process ended or had to be killed, and can be asked no more.

    `reason` is the text for its cells.
    """

    def __init__(self, label: str, reason: str, log_path: Path) -> None:
        super().__init__(
            f"{label}: failed: {reason}; its output is in {log_path}", log=tail(log_path)
        )
        self.reason = reason


def describe_exit(code: int) -> str:
    """A return code in words, as `subprocess` counts them: negative for signals."""
    if code >= 0:
        return f"exit status {code}"
    if -code == signal.SIGKILL:
        return "killed by signal 9 (out of memory?)"
    names = {number.value: number.name for number in signal.Signals}
    return f"killed by signal {-code} ({names.get(-code, 'unnamed')})"


def tail(log: Path, size_bytes: int = TAIL_BYTES) -> str:
    """The last lines of a worker's log; empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
