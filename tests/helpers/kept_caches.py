"""Caches that outlive a session of the tests: what frameworks compiled,
and the reference's answers.

They lie in the user's cache folder under a key of everything that what is compiled depends on.
`XDG_CACHE_HOME=$(mktemp -d)` before a test command makes it a cold one.
"""

import hashlib
import os
import shutil
import sys
import time
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path

import archspec.cpu
from dnnbench.execution.cache import cache_folders
from dnnbench.plugins.discovery import source_digest
from platformdirs import user_cache_path

KEPT_DAYS = 14
DAY_S = 24 * 3600
SOURCES = (
    *("dnnbench_numpy", "dnnbench_torch", "dnnbench_tensorflow", "dnnbench_jax"),
    *("dnnbench.agreement", "dnnbench.protocol", "dnnbench.spec", "dnnbench.worker"),
)
FLAGS = (
    "CC",
    "CXX",
    "CPPFLAGS",
    "CFLAGS",
    "CXXFLAGS",
    "JAX_",
    "KERAS_",
    "MKL_",
    "OMP_",
    "ONEDNN_",
    "TF_",
    "TORCH",
    "XLA_",
)
"""Beginnings of the names of variables that compilers and frameworks read."""


def key() -> str:
    """32 hex digits over sources, versions, flags and the processor."""
    cpu = archspec.cpu.host()
    parts = [
        source_digest(*SOURCES),
        sys.version,
        *sorted(f"{each.name} {each.version}" for each in distributions()),
        *sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(FLAGS)),
        *(cpu.name, *sorted(cpu.features)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def kept_folder() -> Path:
    """Where the caches of this key are."""
    return user_cache_path("dnnbench") / "tests" / key()


def lend(kept: Path, session: Path) -> None:
    """Links in a session's cache folder to those that are kept.

    Whatever else lies there ends with the session.
    """
    session.mkdir(parents=True, exist_ok=True)
    for folder in (kept / "references", *cache_folders(kept).values()):
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another pytest process of this session was first
            (session / folder.name).symlink_to(folder, target_is_directory=True)
    os.utime(kept)


def remove_unused(folder: Path) -> None:
    """Remove the caches of keys that no session has used for some time."""
    oldest = time.time() - KEPT_DAYS * DAY_S
    for each in folder.iterdir():
        with suppress(FileNotFoundError):
            if each.stat().st_mtime < oldest:
                shutil.rmtree(each, ignore_errors=True)
