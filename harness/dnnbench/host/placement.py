"""Which CPU each computing thread has while a phase is timed, and how long threads waited for one.

A worker sleeps between visits. Woken, its threads often start on one CPU,
and a visit ends before the kernel parts
them: with two threads of OpenBLAS a training step of 0.3 ms took 2 to 8 ms (docs/measuring.md).
In a process that trains in a loop, as a user's does, the kernel has them parted after some
milliseconds.
"""

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .affinity import current_mask, mask_of
from .clock import now

TASKS = Path("/proc/self/task")
WINDOW_S = 0.03
"""How long threads are watched before they are placed: one call where a call lasts longer."""
NOTICED = 0.01
"""Share of the window from which on a thread counts as computing."""

PLACED = "one a CPU"
ALONE = "one thread computes"
BOUND = "bound by their library"
UNKNOWN = "free: this system does not tell what threads do"


@dataclass(frozen=True)
class ThreadTime:
    """Seconds since a thread began: on a CPU, and waiting for one."""

    run_s: float
    wait_s: float


@dataclass(frozen=True)
class Placement:
    """`outcome`: one of the sentences above.  cpus: the CPU of each placed thread, by thread id.

    mask: the CPUs that these threads may use outside the visits.
    watched: threads whose waiting is read.
    """

    outcome: str
    watched: tuple[int, ...] = ()
    cpus: Mapping[int, int] = field(default_factory=dict)
    mask: frozenset[int] = frozenset()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Each placed thread on its CPU.

        Free afterwards, because new threads inherit the mask of their maker.
        """
        for thread, cpu in self.cpus.items():
            _bind(thread, {cpu})
        try:
            yield
        finally:
            for thread in self.cpus:
                _bind(thread, self.mask)

    def waits_s(self) -> tuple[float, ...]:
        """Seconds that each watched thread has waited for a CPU since it began.

        0 for one that has ended.
        """
        return tuple(_time_of(thread).wait_s for thread in self.watched)


FREE = Placement(UNKNOWN)


def place(call: Callable[[], object], cpus: Sequence[int] = ()) -> Placement:
    """Watch the threads of this process while it calls, and give each of the busiest
    a CPU of its own.

    The rule is one for all libraries, and asks no time of the call:
    whatever is faster for one arm, every arm gets the same.
    cpus: those to give; this process's mask if empty.
    """
    cpus = cpus or current_mask()
    wanted = _wanted_shares(call)
    busy = tuple(thread for thread, share in wanted.items() if share >= NOTICED)
    if len(busy) < 2:
        outcome = ALONE if busy else UNKNOWN
        return Placement(outcome, busy)
    chosen = busy[: len(cpus)]
    if any(mask_of(thread) != set(cpus) for thread in chosen):
        return Placement(BOUND, busy)
    # the busiest thread on the highest CPU: interrupts prefer the low ones
    assigned = dict(zip(chosen, sorted(cpus, reverse=True), strict=False))
    return Placement(PLACED, busy, assigned, frozenset(cpus))


def waited_share(before: Sequence[float], after: Sequence[float], seconds: float) -> float:
    """The longest wait of one thread between two readings of `waits_s`, as a share of the time."""
    waits = [end - start for start, end in zip(before, after, strict=True)]
    return max(waits, default=0.0) / seconds


def _wanted_shares(call: Callable[[], object]) -> dict[int, float]:
    """Share of a window of calls for which each thread ran or was ready to, the busiest first."""
    before, begin = _thread_times(), now()
    while (elapsed := now() - begin) < WINDOW_S:
        call()
    shares = {
        thread: (time.run_s + time.wait_s - _wanted_s(before.get(thread))) / elapsed
        for thread, time in _thread_times().items()
    }
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _wanted_s(time: ThreadTime | None) -> float:
    return time.run_s + time.wait_s if time else 0.0


def _thread_times() -> dict[int, ThreadTime]:
    threads = [int(task.name) for task in TASKS.iterdir()] if TASKS.is_dir() else []
    return {thread: _time_of(thread) for thread in threads}


def _time_of(thread: int) -> ThreadTime:
    """Zero for a thread that has ended, and where the kernel keeps no such account."""
    try:
        account = os.open(
            f"{TASKS}/{thread}/schedstat", os.O_RDONLY
        )  # a third of Path.read_bytes's time
    except OSError:
        return ThreadTime(0.0, 0.0)
    try:
        run_ns, wait_ns, _slices = os.read(account, 100).split()
    except (OSError, ValueError):
        return ThreadTime(0.0, 0.0)
    finally:
        os.close(account)
    return ThreadTime(int(run_ns) * 1e-9, int(wait_ns) * 1e-9)


def _bind(thread: int, cpus: set[int] | frozenset[int]) -> None:
    """Nothing where the thread has ended, or a cpuset that shrank took the CPUs away:
    the thread's waiting then tells.

    The pool of an ended thread makes another, which the next warm-up places.
    """
    try:
        os.sched_setaffinity(thread, cpus)
    except OSError as error:
        if error.errno not in (errno.ESRCH, errno.EINVAL):
            raise
