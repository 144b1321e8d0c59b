"""Temporary folders: removed at the end, and by the next dnnbench of the same user where their
owner was killed.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PREFIX = "dnnbench-scratch-"
TRIES = 3


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """A folder of this process alone.

    Who holds the lock on it is its owner, and the kernel frees that with the process.
    """
    sweep()
    folder, lock = _owned(f"{PREFIX}{purpose}-")
    try:
        yield Path(folder.name)
    finally:
        folder.cleanup()
        if lock is not None:
            os.close(lock)


def sweep() -> None:
    """Remove this user's scratch folders that no living process owns."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)  # what cannot be removed today is found again
            os.close(lock)


def _owned(prefix: str) -> tuple[TemporaryDirectory[str], int | None]:
    """A new folder and its lock; another one where a sweep came between the two.

    Without a lock after some tries: the file system has none, so that no sweep takes one either.
    """
    for _ in range(TRIES):
        folder = TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
        lock = _lock(Path(folder.name))
        if lock is not None:
            return folder, lock
        folder.cleanup()
    return TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True), None


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock.

    None if another has it, or it is another user's, no folder, or gone.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    if _is_ours_alone(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _is_ours_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another has it, or this file system has no locks
        return False
    state = os.fstat(descriptor)
    return state.st_uid == os.geteuid() and state.st_nlink > 0
