"""Instructions that the threads of this process execute in user mode, as the kernel counts them.

Source: Linux, perf_event_open(2).
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

SYSCALL = {"x86_64": 298, "aarch64": 241}
"""Number of perf_event_open, by processor."""
ATTRIBUTES_BYTES = 64
USER_MODE_ALONE = 1 << 5 | 1 << 6
"""Neither the kernel's instructions nor a hypervisor's: those need a right that few have."""


class Event(NamedTuple):
    """What is counted: `type` and `config` of perf_event_open(2)."""

    type: int
    config: int


INSTRUCTIONS = Event(0, 1)
PAGE_FAULTS = Event(1, 2)
"""A software event, which the kernel counts on every machine."""


class NotCounted(Exception):
    """This machine does not count; the message says why."""


class InstructionCounter:
    """Counts while a call runs, in every thread that the process has when the counter opens.

    NotCounted where the kernel, the processor or its virtual machine counts none.
    """

    def __init__(self, event: Event = INSTRUCTIONS) -> None:
        self._files: list[int] = []
        try:
            for thread in _threads():
                file = _opened(event, thread)
                if file is not None:
                    self._files.append(file)
            if not self._files:
                raise NotCounted("the kernel counts none here (it knows none of the threads)")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def count(self, call: Callable[[], object]) -> int:
        """Events from the beginning of `call` to its end, of all threads together."""
        before = self._total()
        call()
        return self._total() - before

    def close(self) -> None:
        """Close the counters; again does nothing."""
        while self._files:
            os.close(self._files.pop())

    def _total(self) -> int:
        return sum(int.from_bytes(os.read(file, 8), "little") for file in self._files)


def _threads() -> list[int]:
    return [int(place.name) for place in Path("/proc/self/task").iterdir()]


def _opened(event: Event, thread: int) -> int | None:
    """The file of a counter, None for a thread that has ended; NotCounted where the kernel gives
    none.
    """
    number = SYSCALL.get(platform.machine())
    if number is None:
        raise NotCounted(f"no counter is known for a processor {platform.machine()}")
    head = (event.type, ATTRIBUTES_BYTES, event.config, 0, 0, 0, USER_MODE_ALONE)
    attributes = struct.pack("<IIQQQQQ", *head).ljust(ATTRIBUTES_BYTES, b"\0")
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(attributes, ATTRIBUTES_BYTES)
    file: int = libc.syscall(number, buffer, thread, -1, -1, 0)
    if file >= 0:
        return file
    error = ctypes.get_errno()
    if error == errno.ESRCH:
        return None
    raise NotCounted(f"the kernel counts none here ({os.strerror(error)})")
