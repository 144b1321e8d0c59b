"""Memory of this process: what it holds now, the most it held since the mark was last reset,
and giving it back.
"""

import ctypes
import gc
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc/self")
UNKNOWN = "this system has no /proc/self/status with VmRSS and VmHWM"


@dataclass(frozen=True)
class MemoryReading:
    """Resident bytes now and at their peak.

    None, with the reason, where the system does not tell.
    """

    rss_bytes: int | None
    peak_rss_bytes: int | None
    reason: str = ""


def read_memory(proc: Path = PROC) -> MemoryReading:
    """Resident set of this process; the peak is since its start or the last `reset_peak`."""
    try:
        lines = (proc / "status").read_text().splitlines()
    except OSError:
        return MemoryReading(None, None, UNKNOWN)
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    rss, peak = (_kib(fields.get(name)) for name in ("VmRSS", "VmHWM"))
    reason = "" if rss and peak else UNKNOWN
    return MemoryReading(rss, peak, reason)


def reset_peak(proc: Path = PROC) -> str:
    """Let the peak start again from what is held now.

    Returns an empty text, or why that is not possible.
    """
    try:
        (proc / "clear_refs").write_text("5")
    except OSError as error:
        return (
            f"the peak cannot be reset here ({error.strerror}), so it counts from the start "
            "of the process"
        )
    return ""


def give_back() -> None:
    """Return to the system what has been freed: compilers leave hundreds of MB
    in the allocator's hands.

    Only where the C library is glibc, which has malloc_trim(3).
    """
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def _kib(field: str | None) -> int | None:
    return int(field.split()[0]) * 1024 if field else None
