"""Where the output of workers is kept: in the cache folder, for a week where an error names it."""

import re
from pathlib import Path
from tempfile import mkstemp

from .cache import cache_folder, remove_older

KEPT_DAYS = 7
NAME_LENGTH = 80


def new_log(name: str) -> Path:
    """An empty file of its own, named after `name`.

    Those that are older than a week are removed.
    """
    folder = cache_folder() / "logs"
    folder.mkdir(exist_ok=True)
    remove_older(folder, "*.log", KEPT_DAYS)
    plain = re.sub(r"[^\w.:@=,-]", "_", name, flags=re.ASCII)[:NAME_LENGTH]
    handle, path = mkstemp(prefix=f"{plain}-", suffix=".log", dir=folder)
    open(handle).close()
    return Path(path)
