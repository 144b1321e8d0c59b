"""Seeded noise: a noisy neighbour for each CPU, as processes of their own,
for one generation at a time.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dnnbench.host.affinity import spell

SHARE = 0.5


@dataclass(frozen=True)
class Hog:
    """What a neighbour does, and the share of its time at a generation's start and end."""

    what: str
    start: float
    end: float


def cpu_hog(progress: float, step: float) -> Hog:
    """Busy CPUs half of the time."""
    return Hog("cpu", SHARE, SHARE)


def memory_hog(progress: float, step: float) -> Hog:
    """A busy memory bus half of the time."""
    return Hog("memory", SHARE, SHARE)


def drift(progress: float, step: float) -> Hog:
    """CPUs that get busier in a straight line, from never to always."""
    return Hog("cpu", progress, progress + step)


def late_hog(progress: float, step: float) -> Hog | None:
    """A CPU hog in the second half of the trial only."""
    return cpu_hog(progress, step) if progress >= 0.5 else None


NOISES = {noise.__name__: noise for noise in (cpu_hog, memory_hog, drift, late_hog)}
"""Name -> what the neighbours do in a generation, of the share of the trial before it
and its own share.
"""


@contextmanager
def noisy(hog: Hog | None, cpus: Sequence[int], seconds: float, seed: int) -> Iterator[None]:
    """A neighbour for each CPU, free to run on any of them; each is ended at the end.

    seconds: how long the generation should last, for a hog that changes.
    """
    hogs = [_start(hog, cpus, seconds, seed + place) for place in range(len(cpus))] if hog else []
    try:
        yield
    finally:
        for process in hogs:
            process.kill()
            process.wait()


def _start(hog: Hog, cpus: Sequence[int], seconds: float, seed: int) -> subprocess.Popen:
    words = [
        "--cpus",
        spell(cpus),
        "--seed",
        seed,
        "--start",
        hog.start,
        "--end",
        hog.end,
        "--seconds",
        seconds,
    ]
    return subprocess.Popen([sys.executable, "-m", "study.hog", hog.what, *map(str, words)])
