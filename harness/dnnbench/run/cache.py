"""Where dnnbench keeps what it can make again: references and compile caches."""

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """`$DNNBENCH_CACHE`, else the user's cache folder; made if it is not there."""
    folder = Path(os.environ.get("DNNBENCH_CACHE") or user_cache_path("dnnbench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
