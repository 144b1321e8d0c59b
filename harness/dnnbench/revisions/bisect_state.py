"""The file in which a bisection goes on: JSON beside the store, one for each question."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..regular import require_regular
from .bisection import Bisection

VERSION = 1
FOLDER = "bisect"


def state_file(folder: Path, question: Mapping[str, Any]) -> Path:
    """The file of a question, the same for all that ask the same."""
    text = json.dumps(question, sort_keys=True, default=str)
    return folder / FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"


def read_state(file: Path) -> Bisection | None:
    """What an earlier sitting left; None where there is nothing to go on with.

    StoreError for a file that cannot be read; it is left as it is.
    """
    if not file.exists():
        return None
    try:
        require_regular(str(file))
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["version"] != VERSION:
            raise StoreError(
                f"{file} is of version {stored['version']}, and this dnnbench reads {VERSION}; "
                "go on with the dnnbench that wrote it, or delete the file to begin anew"
            )
        read = Bisection.from_json(stored, str(file))
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(
            f"{file} keeps no bisection that can go on ({type(error).__name__}: {error}); "
            "delete it to begin anew: the runs stay in the store"
        ) from None
    return None if read.is_finished else read


def write_state(file: Path, bisection: Bisection) -> None:
    """In one step: a file is never left half written."""
    document = {"version": VERSION, **bisection.to_json()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.part")
        partial.write_text(json.dumps(document, indent=2), encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise StoreError(
            f"{file} cannot be written ({error.strerror}); a bisection could not go on after an "
            "interruption: make room, or name another --store"
        ) from None
