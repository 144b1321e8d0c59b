"""CPU that a worker uses while it waits: it would slow the arm that is being measured."""

import time
from collections.abc import Mapping

SETTLE_S = 0.2
"""After the last call: a library may spin for a few milliseconds, which is over before the next
visit's untimed call.
"""
WATCH_S = 0.25
NOISY_SHARE = 0.01
"""Of one CPU; OpenBLAS without its timeout spins for 130 ms after each call."""
PROCESS_CLOCK = 2
"""The last bits of a Linux clock that counts a process's time on a CPU: CPUCLOCK_SCHED."""


def cpu_s(pid: int) -> float | None:
    """Seconds on a CPU of all threads that a process has or had, to the nanosecond,
    in one system call; None if it is gone.

    Linux numbers the CPU clocks of processes ~pid * 8 + 2. Source: MAKE_PROCESS_CPUCLOCK
    and CPUCLOCK_SCHED in include/linux/posix-timers_types.h, which clock_getcpuclockid(3) follows.
    """
    try:
        return time.clock_gettime((~pid << 3) | PROCESS_CLOCK)
    except (AttributeError, OSError):
        return None


def idle_shares(pids: Mapping[str, int], watch_s: float = WATCH_S) -> dict[str, float]:
    """Share of one CPU that each process uses while it serves no request.

    Processes whose clock cannot be read are left out.
    """
    time.sleep(SETTLE_S)
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    begin = time.monotonic()
    time.sleep(watch_s)
    after = {name: cpu_s(pid) for name, pid in pids.items()}
    elapsed = time.monotonic() - begin
    shares = {}
    for name in pids:
        start, end = before[name], after[name]
        if start is not None and end is not None:
            shares[name] = max(end - start, 0.0) / elapsed
    return shares
