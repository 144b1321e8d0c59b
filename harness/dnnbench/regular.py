"""Files that a user names are regular ones and have a limit: a pipe is waited for without end,
a device has no end.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Unfit(OSError):
    """A file that is there and is not read: of another kind than a regular one, or too large.

    `strerror` says which.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(None, reason, str(path))

    def __str__(self) -> str:
        return str(self.strerror)


def home_expanded(path: str | Path) -> Path:
    """The path with `~` and `~USER` replaced.

    As it is where there is no such user, as a shell does it.
    """
    return Path(os.path.expanduser(path))


def is_there(path: Path) -> bool:
    """Whether something is at the path.

    A name that no file can bear (of over 255 bytes) is not there.
    """
    try:
        return path.exists()
    except OSError:
        return False


def require_regular(path: str | Path) -> None:
    """Unfit if something else than a regular file, or a link to one, is at `path`.

    OSError if nothing is.
    """
    _require_regular(path, os.stat(path).st_mode)


def _require_regular(path: str | Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for of_kind, name in KINDS if of_kind(mode)), "no file")
        raise Unfit(path, f"it is {kind}, expected a regular file")


@contextmanager
def open_regular(path: str | Path) -> Iterator[BinaryIO]:
    """The regular file at `path`, open for reading.  Unfit, or another OSError."""
    require_regular(path)
    with open(path, "rb", opener=_without_waiting) as file:
        _require_regular(path, os.fstat(file.fileno()).st_mode)
        yield file


def _without_waiting(path: str, flags: int) -> int:
    """What became a pipe since it was looked at does not hold this process up."""
    return os.open(path, flags | os.O_NONBLOCK)


def read_regular(path: str | Path, most_bytes: int) -> bytes:
    """All of the regular file at `path`.

    Unfit if it has more than `most_bytes`, or another OSError.
    """
    with open_regular(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise Unfit(path, f"it has more than {most_bytes:,} bytes, which is the limit")
    return content
