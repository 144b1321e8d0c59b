"""Where dnnbench keeps what it can make again or do without:
references, compile caches, logs of workers that failed.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from platformdirs import user_cache_path

from ..plugins.discovery import plugins
from .facts import AS_FOUND, EMPTY
from .scratch import scratch_folder

DAY_S = 24 * 3600.0


def cache_folder() -> Path:
    """`$DNNBENCH_CACHE`, else the user's cache folder; made if it is not there."""
    folder = Path(os.environ.get("DNNBENCH_CACHE") or user_cache_path("dnnbench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_older(folder: Path, pattern: str, days: int) -> None:
    """Remove files of a folder that were not written to for so many days."""
    oldest = time.time() - days * DAY_S
    for file in folder.glob(pattern):
        try:
            if file.stat().st_mtime < oldest:
                file.unlink()
        except FileNotFoundError:  # another dnnbench has removed it
            continue


def cache_folders(inside: Path, besides: Iterable[str] = ()) -> dict[str, Path]:
    """A folder for each variable that any installed backend names for its compile cache:
    every arm gets all of them.

    besides: variables of a backend that is installed in another environment alone.
    """
    named = chain.from_iterable(info.caches for info in plugins().backends.values())
    variables = {*named, *besides}
    return {variable: inside / variable.lower() for variable in sorted(variables)}


@dataclass
class CompileCaches:
    """folder: where the workers of one sitting keep what they compile.

    None for the user's.
    state: what the next ones find.
    """

    folder: Path | None
    state: str


@contextmanager
def compile_caches(cold_start: bool) -> Iterator[CompileCaches]:
    """The user's, or for a cold start new ones, which the sitting's first generation fills
    for the others.
    """
    if not cold_start:
        yield CompileCaches(None, AS_FOUND)
        return
    with scratch_folder("cold") as folder:
        yield CompileCaches(folder, EMPTY)
