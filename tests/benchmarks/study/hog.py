"""The program of a noisy neighbour: `python -m study.hog`.

Busy and quiet by turns, and gone when its parent is.
"""

import argparse
import os
import random
import time
from collections.abc import Callable

import numpy as np
from dnnbench.host.affinity import confine, parse

TURN_S = (0.05, 0.5)
"""Length of a turn, busy and quiet together: drawn evenly from this range."""
BLOCK_BYTES = 64 << 20
"""Far more than any cache holds."""


def share_at(elapsed_s: float, start: float, end: float, seconds: float) -> float:
    """Share of time to be busy: from `start` to `end` in a straight line over `seconds`,
    then as at the end.
    """
    return start + (end - start) * min(elapsed_s / seconds, 1.0)


def cpu() -> Callable:
    """Work that stays in the first cache."""
    return lambda: sum(range(1000))


def memory() -> Callable:
    """Work that keeps the memory bus busy."""
    source, target = np.ones(BLOCK_BYTES, np.uint8), np.empty(BLOCK_BYTES, np.uint8)
    return lambda: np.copyto(target, source)


def disturb(work: Callable, chance: random.Random, share: Callable[[float], float]) -> None:
    """Busy for a share of each turn until the parent is gone."""
    parent, begin = os.getppid(), time.monotonic()
    while os.getppid() == parent:
        turn_s, started = chance.uniform(*TURN_S), time.monotonic()
        busy_s = turn_s * share(started - begin)
        while time.monotonic() - started < busy_s:
            work()
        time.sleep(max(started + turn_s - time.monotonic(), 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(prog="study.hog")
    parser.add_argument("what", choices=("cpu", "memory"))
    parser.add_argument("--cpus", required=True)
    parser.add_argument("--seed", type=int, required=True)
    for name in ("start", "end", "seconds"):
        parser.add_argument(f"--{name}", type=float, required=True)
    asked = parser.parse_args()
    confine(parse(asked.cpus))
    work = {"cpu": cpu, "memory": memory}[asked.what]()
    disturb(
        work,
        random.Random(asked.seed),
        lambda s: share_at(s, asked.start, asked.end, asked.seconds),
    )


if __name__ == "__main__":
    main()
