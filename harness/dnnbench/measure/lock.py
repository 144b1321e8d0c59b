"""One dnnbench measures on a machine at a time: two at once would measure each other."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dnnbench.errors import UsageError

NAME = "dnnbench.lock"


def default_path() -> Path:
    """The lock that all users of this machine share."""
    return Path(tempfile.gettempdir()) / NAME


@contextmanager
def machine_lock(path: Path | None = None, wait_s: float = 0.0) -> Iterator[None]:
    """Hold this machine for measuring; the system frees it when the process ends, however it ends.

    wait_s: how long to wait for another holder; a negative number waits for ever.  Raises UsageError,
    naming the holder's process and command, when the time is up, or if the lock file cannot be opened.
    """
    import filelock

    path = path or default_path()
    lock = filelock.FileLock(path, timeout=wait_s, mode=0o666)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UsageError(
            f"another dnnbench is measuring on this machine ({_holder(path)}); wait for it with --wait, or end it"
        ) from None
    except OSError as error:
        raise UsageError(f"the lock file {path} cannot be opened ({error.strerror}); make it writable") from None
    try:
        _note(path).write_text(json.dumps({"pid": os.getpid(), "command": sys.argv}))
        yield
    finally:
        _note(path).unlink(missing_ok=True)
        lock.release()


def _note(path: Path) -> Path:
    """A file beside the lock, which itself is emptied by everyone who asks for it."""
    return path.with_suffix(".json")


def _holder(path: Path) -> str:
    try:
        note = json.loads(_note(path).read_text())
    except (OSError, ValueError):
        return f"its process is not known; see who holds {path}"
    return f"process {note['pid']}: {' '.join(note['command'])}"
