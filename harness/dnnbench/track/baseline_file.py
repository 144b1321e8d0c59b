"""Baselines as files of a folder: JSON, one for each class of machine."""

import hashlib
import json
import os
import re
from pathlib import Path

from ..errors import StoreError
from ..regular import require_regular
from ..wording import shortened
from .baseline import Baseline

VERSION = 1
FOLDER = "baselines"


def file_of(folder: Path, machine_class: str) -> Path:
    """Of a class of machine, named so that people can tell them apart."""
    slug = re.sub(r"[^a-z0-9]+", "-", machine_class.lower()).strip("-")[:60].rstrip("-")
    digest = hashlib.sha256(machine_class.encode()).hexdigest()[:6]
    return folder / f"{slug}-{digest}.json"


def read_baseline(file: Path) -> Baseline:
    """StoreError for a file that is not there, that is damaged, or of a newer version."""
    try:
        require_regular(file)
        stored = json.loads(file.read_text(encoding="utf-8"))
        version = stored["version"]
        if version != VERSION:
            raise StoreError(
                f"baseline {file}: it is of version {shortened(str(version), 20)}, and this "
                f"dnnbench reads {VERSION}; update dnnbench, or take the file of git as it was"
            )
        return Baseline.from_json(stored)
    except FileNotFoundError:
        raise StoreError(
            f"baseline {file}: there is none; make one of a run: dnnbench baseline save RUN"
        ) from None
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        why = shortened(f"{type(error).__name__}: {error}", 200)
        raise StoreError(
            f"baseline {file}: it cannot be read ({why}); git has it as it was: "
            f"git checkout -- {file}"
        ) from None


def baselines(folder: Path) -> list[tuple[Path, Baseline]]:
    """Those of a folder, by file name."""
    return [(file, read_baseline(file)) for file in sorted(folder.glob("*.json"))]


def write_baseline(file: Path, baseline: Baseline) -> None:
    """In one step, keys in order, so that git shows what changed and nothing is half written."""
    document = {"version": VERSION, **baseline.to_json()}
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    partial = file.with_suffix(f".{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"baseline {file}: cannot be written ({error.strerror}); name another --folder"
        ) from None
