"""How much memory new arrays and processes can have."""

from pathlib import Path

import psutil

from ..errors import DataError

CGROUP = Path("/sys/fs/cgroup")


def available_bytes(cgroup: Path = CGROUP) -> int:
    """Memory that new processes can have: the machine's free part, or what a container's
    limit leaves.
    """
    return min([psutil.virtual_memory().available, *_left_in_cgroup(cgroup)])


def _left_in_cgroup(cgroup: Path) -> list[int]:
    """What a limit leaves, or nothing where there is none; cached files count as free."""
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
        lines = (cgroup / "memory.stat").read_text().splitlines()
        cached = int(dict(line.split() for line in lines)["file"])
    except (OSError, ValueError, KeyError):
        return []
    return [max(limit - used + cached, 0)]


def require_room(wanted_bytes: int, where: str) -> None:
    """DataError if an array of a file is larger than what is free:
    its header says so before anything is allocated.
    """
    free = available_bytes()
    if wanted_bytes > free:
        sizes = f"{wanted_bytes:,} bytes of memory, and {free:,} are free"
        raise DataError(f"{where}: wants {sizes}; give fewer examples, or use a machine with more")
