"""A report as a file."""

from pathlib import Path

from ..errors import StoreError
from ..store.engine import refuse_to_overwrite


def write_report(out: str | Path, text: str) -> Path:
    """Into a file whose folders are made; StoreError where it cannot be written."""
    out = Path(out)
    try:
        refuse_to_overwrite(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"report: {out} cannot be written ({error.strerror}); name another file with -o"
        ) from error
    return out
