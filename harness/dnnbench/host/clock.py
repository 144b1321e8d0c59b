"""The host clock: monotonic, read in seconds, with its own grain and cost measured rather
than assumed.
"""

import time
from itertools import pairwise

PAUSE_S = 0.25
"""A wait that outlasts its time by so much: this process was stopped, or got no CPU,
which other counters tell.
"""


def now() -> float:
    """Seconds of a monotonic clock with an arbitrary zero; only differences mean anything."""
    return time.perf_counter_ns() * 1e-9


def resolution_s(reads: int = 2000) -> float:
    """Smallest step seen between two reads that differ, in seconds."""
    ticks = [time.perf_counter_ns() for _ in range(reads)]
    steps = [later - earlier for earlier, later in pairwise(ticks) if later > earlier]
    return min(steps, default=1) * 1e-9


def read_cost_s(reads: int = 2000, repeats: int = 7) -> float:
    """Seconds that one call of `now` takes: the cheapest of `repeats` means over `reads` calls.

    The cheapest, because a disturbance can only add to a cost.
    """
    return min(_mean_read_s(reads) for _ in range(repeats))


def _mean_read_s(reads: int) -> float:
    start = now()
    for _ in range(reads):
        now()
    return (now() - start) / reads
