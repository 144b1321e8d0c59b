"""Where the output of workers is kept: in the cache folder, for a week where an error names it."""

import re
import time
from pathlib import Path
from tempfile import mkstemp

from .cache import cache_folder

KEPT_S = 7 * 24 * 3600.0
NAME_LENGTH = 80


def new_log(name: str) -> Path:
    """An empty file of its own, named after `name`; those that are older than a week are removed."""
    folder = cache_folder() / "logs"
    folder.mkdir(exist_ok=True)
    _remove_old(folder)
    plain = re.sub(r"[^\w.:@=,-]", "_", name, flags=re.ASCII)[:NAME_LENGTH]
    handle, path = mkstemp(prefix=f"{plain}-", suffix=".log", dir=folder)
    open(handle).close()
    return Path(path)


def _remove_old(folder: Path) -> None:
    oldest = time.time() - KEPT_S
    for log in folder.glob("*.log"):
        try:
            if log.stat().st_mtime < oldest:
                log.unlink()
        except FileNotFoundError:  # another dnnbench has removed it
            continue
