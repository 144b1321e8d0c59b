"""One dnnbench measures on a machine at a time: two at once would measure each other."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UsageError
from ..regular import home_expanded

SHARED = Path("/tmp/dnnbench.lock")
"""For every user whatever their TMPDIR: /tmp is the one folder of a POSIX system that all of them
may write to.
"""
VARIABLE = "DNNBENCH_LOCK"
EVERYONE = 0o666
LOCKS = Path("/proc/locks")


def default_path() -> Path:
    """`$DNNBENCH_LOCK`, else the lock that all users of this machine share."""
    return home_expanded(os.environ.get(VARIABLE) or SHARED)


@contextmanager
def machine_lock(path: Path | None = None, wait_s: float = 0.0) -> Iterator[None]:
    """Hold this machine for measuring; the system frees it when the process ends, however it ends.

    The file stays, empty: removing it would let a third process lock a new one beside a waiting
    second. Nothing is written to it, so a file of another user needs only to be opened;
    filelock does that without O_CREAT where fs.protected_regular forbids it,
    follows no link and truncates nothing.

    wait_s: how long to wait for another holder; a negative number waits for ever.
    Raises UsageError, naming the holder's process and user where the system shows them,
    when the time is up, or if the file cannot be opened.
    """
    import filelock

    path = path or default_path()
    lock = filelock.FileLock(path, timeout=wait_s, mode=EVERYONE)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UsageError(
            f"another dnnbench is measuring on this machine ({_holder(path)}); "
            "wait for it with --wait, or end it"
        ) from None
    except OSError as error:
        raise UsageError(
            f"the lock file {path} cannot be opened ({error.strerror}): "
            "it must be a plain file that everyone may write; "
            f"remove it, ask its owner to, or name another with {VARIABLE}"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    """Process and user, never a command line, which may hold a secret."""
    pid = _locking_process(path)
    if pid is None:
        return f"its process is not known; see who holds {path}"
    return f"process {pid}{_of_user(pid)}"


def _locking_process(path: Path) -> int | None:
    """The process that the kernel names as the file's locker.

    None where it names none that is visible here.

    A line of /proc/locks: `1: FLOCK  ADVISORY  WRITE 4242 08:01:131090 0 EOF`,
    the file as major:minor:inode.
    """
    try:
        state = path.stat()
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return None
    file = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
    holders = [
        int(words[4]) for words in map(str.split, lines) if words[1] == "FLOCK" and words[5] == file
    ]
    return next((pid for pid in holders if pid > 0), None)


def _of_user(pid: int) -> str:
    """` of NAME`; nothing of a process that is gone, or a user without a name."""
    try:
        return f" of {pwd.getpwuid(os.stat(f'/proc/{pid}').st_uid).pw_name}"
    except (OSError, KeyError):
        return ""
