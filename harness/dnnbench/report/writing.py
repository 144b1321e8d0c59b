"""A report as a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StoreError
from ..store.engine import refuse_to_overwrite


def write_report(out: str | Path, text: str) -> Path:
    """Into a file whose folders are made; StoreError where it cannot be written."""
    out = Path(out)
    with _writing(out):
        out.write_text(text, encoding="utf-8")
    return out


def refuse_unwritable(out: str | Path) -> None:
    """StoreError where `write_report` could not write: asked before a run spends its time."""
    out = Path(out)
    if out.exists() and not (out.is_file() or out.is_dir()):
        return  # a pipe or a device: to open it would be to use it
    with _writing(out):
        is_new = not out.exists()
        out.open("ab").close()
        if is_new:
            out.unlink()


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        refuse_to_overwrite(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StoreError(
            f"report: {out} cannot be written ({error.strerror}); name another file"
        ) from error
