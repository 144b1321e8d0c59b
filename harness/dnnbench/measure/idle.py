"""CPU that a waiting worker burns: it would slow whoever is being measured."""

import time
from collections.abc import Mapping
from pathlib import Path

SETTLE_S = 0.2
"""After the last call: a library may spin for a few milliseconds, which is over before the next visit's untimed call."""
WATCH_S = 0.25
NOISY_SHARE = 0.01
"""Of one CPU; OpenBLAS without its timeout spins for 130 ms after each call."""


def cpu_s(pid: int, proc: Path = Path("/proc")) -> float | None:
    """Seconds on a CPU of all live threads of a process, to the nanosecond; None where the kernel does not say.

    Source: Documentation/scheduler/sched-stats.rst, first field of /proc/<pid>/task/<tid>/schedstat.
    """
    try:
        files = list((proc / str(pid) / "task").glob("*/schedstat"))
        return sum(int(file.read_text().split()[0]) for file in files) * 1e-9 if files else None
    except (OSError, IndexError, ValueError):
        return None


def idle_shares(pids: Mapping[str, int], watch_s: float = WATCH_S) -> dict[str, float]:
    """Share of one CPU that each process burns while nobody asks anything of it; those not told are left out."""
    time.sleep(SETTLE_S)
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    begin = time.monotonic()
    time.sleep(watch_s)
    after = {name: cpu_s(pid) for name, pid in pids.items()}
    elapsed = time.monotonic() - begin
    told = [name for name in pids if before[name] is not None and after[name] is not None]
    return {name: max(after[name] - before[name], 0.0) / elapsed for name in told}
