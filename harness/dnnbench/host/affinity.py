"""Which CPUs the workers compute on, and which are left to the parent."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import UsageError

TOPOLOGY = Path("/sys/devices/system/cpu")
THREADS = Path("/proc/self/task")


def current_mask() -> list[int]:
    """The CPUs that this process may use, in order; all of them where the system has no masks."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def core_of(cpu: int, topology: Path = TOPOLOGY) -> str:
    """A name shared by the hyperthreads of one core.

    The CPU's own number where the system does not tell.
    """
    try:
        return (topology / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(cpu)


def threads_mask() -> list[int]:
    """The CPUs that any thread of this process may use: a library may bind its threads to fewer,
    or to others.
    """
    threads = [int(thread.name) for thread in THREADS.glob("*")] if THREADS.is_dir() else []
    masks = [mask_of(thread) for thread in threads]
    return sorted(set().union(*masks)) if masks else current_mask()


def mask_of(thread: int) -> set[int]:
    """Empty for a thread that has ended meanwhile."""
    try:
        return os.sched_getaffinity(thread)
    except ProcessLookupError:
        return set()


def choose_cpus(
    mask: Sequence[int], threads: int, core: Callable[[int], str] = core_of
) -> list[int]:
    """The `threads` CPUs of `mask` that every worker is confined to: N threads, N CPUs.

    One CPU of each core before any second one, because siblings slow each other;
    high numbers first, because interrupts prefer the low ones.
    Raises UsageError if the mask is too small.
    """
    if not 1 <= threads <= len(mask):
        raise UsageError(
            f"--threads {threads}: this process may use {len(mask)} CPUs ({spell(mask)}); "
            f"ask for 1 to {len(mask)}, or start dnnbench with a larger mask"
        )
    seen: dict[str, int] = {}
    rank = {}
    for cpu in sorted(mask, reverse=True):
        rank[cpu] = seen[core(cpu)] = seen.get(core(cpu), -1) + 1
    return sorted(sorted(rank, key=lambda cpu: (rank[cpu], -cpu))[:threads])


def node_of(cpu: int, topology: Path = TOPOLOGY) -> str:
    """The node whose memory is a CPU's own; empty where the system does not tell."""
    return next((node.name for node in (topology / f"cpu{cpu}").glob("node[0-9]*")), "")


def starting_places(
    mask: Sequence[int], cpus: Sequence[int], node: Callable[[int], str] = node_of
) -> list[list[int]]:
    """Sets of as many CPUs as `cpus`, on which processes may start beside each other before they
    move to `cpus`: in the same nodes, as memory stays where it was first written.
    """
    nodes = {node(cpu) for cpu in cpus}
    others = [cpu for cpu in mask if cpu not in cpus and node(cpu) in nodes]
    each = len(cpus)
    whole = range(0, len(others) - each + 1, each)
    return [list(cpus), *(others[first : first + each] for first in whole)]


def parent_cpus(mask: Iterable[int], workers: Iterable[int]) -> list[int]:
    """Where the parent waits: the CPUs that no worker has, or the whole mask if they have all."""
    taken = set(workers)
    mask = sorted(mask)
    return [cpu for cpu in mask if cpu not in taken] or mask


def confine(cpus: Iterable[int]) -> list[int]:
    """Bind this process and every thread it will start to `cpus`.

    Returns the mask then in force.
    """
    wanted = set(cpus)
    if wanted and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, wanted)
    return current_mask()


def confine_threads(cpus: Iterable[int], threads: Path = THREADS) -> None:
    """Bind every thread of this process to `cpus`, those too that are made meanwhile."""
    confine(cpus)
    wanted = set(cpus)
    bound: set[int] = set()
    while threads.is_dir() and (new := {int(task.name) for task in threads.iterdir()} - bound):
        for thread in new:
            with suppress(ProcessLookupError):  # it has ended
                os.sched_setaffinity(thread, wanted)
        bound |= new


def spell(cpus: Iterable[int]) -> str:
    """CPU numbers as text, `0,2,3`; the inverse of `parse`."""
    return ",".join(str(cpu) for cpu in cpus)


def parse(text: str) -> list[int]:
    """CPU numbers from `0,2,3`; an empty text is no CPU."""
    return [int(part) for part in text.split(",") if part]
