"""Worker processes that serve `worker_services.Rogue`, and whether a process has ended."""

import contextlib
import os
import time
from pathlib import Path

import psutil
from dnnbench.worker.process import Worker

TESTS = Path(__file__).parents[1]
PATIENCE_S = 60.0
SERVICE = "helpers.worker_services:Rogue"


def environment(**more: str) -> dict[str, str]:
    """In which a child finds the helpers of the tests."""
    return {**os.environ, "PYTHONPATH": str(TESTS), **more}


def start(folder: Path, service: str = SERVICE, **options) -> Worker:
    """A worker whose log lies in `folder`."""
    return Worker("rogue", environment(), folder / "worker.log", service=service, **options)


def gone(pid: int) -> bool:
    """Whether a process ends within a minute; a zombie, which only waits to be read, has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
                continue
        return True
    return False
