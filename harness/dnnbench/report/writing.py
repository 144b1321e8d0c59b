"""A report as a file."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StoreError
from ..store.engine import refuse_to_overwrite


def write_report(out: str | Path, text: str) -> Path:
    """Into a file whose folders are made; StoreError where it cannot be written."""
    out = Path(out)
    with _as_store_error(out):
        refuse_to_overwrite(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    return out


def refuse_unwritable(out: str | Path) -> None:
    """StoreError where `write_report` could not write: asked before a run spends its time."""
    out = Path(out)
    if out.exists() and not (out.is_file() or out.is_dir()):
        return  # a pipe or a device: to open it would be to use it
    with _as_store_error(out):
        refuse_to_overwrite(out)
        if out.exists():
            out.open("ab").close()
        else:
            _refuse_folder(next(folder for folder in out.absolute().parents if folder.exists()))


def _refuse_folder(folder: Path) -> None:
    """OSError where nothing new can be made in it; nothing is made to see that."""
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _as_store_error(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"report: {out} cannot be written ({error.strerror}); name another file"
        ) from error
