"""SIGTERM and SIGHUP end a command as Ctrl-C does: what was measured is kept."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)
STREAMS = (1, 2)


class Ended(KeyboardInterrupt):
    """A Ctrl-C that came as the signal which its text names."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise Ended at the first SIGTERM or SIGHUP, and from then on ignore both,
    so that keeping what was measured is not torn.

    For they come twice, to a process and to its group (timeout(1), shells), and after a Ctrl-C
    (systems that shut down): that has them ignored too, while a second Ctrl-C still ends at once.
    A signal that was ignored stays so, as SIGHUP under nohup does.
    Python gives signals to its main thread: in another nothing is set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *ENDING)}
    handled = [number for number, handler in before.items() if handler != signal.SIG_IGN]
    end = _Ending([stream for stream in STREAMS if os.isatty(stream)])
    for number in handled:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])


class _Ending:
    """The handler; it knows the streams that were a terminal at the start."""

    def __init__(self, terminals: list[int]) -> None:
        self._terminals = terminals

    def __call__(self, number: int, frame: FrameType | None) -> None:
        for ending in ENDING:
            signal.signal(ending, signal.SIG_IGN)
        if signal.getsignal(signal.SIGINT) is self:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._leave_lost_terminals()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Ended(signal.Signals(number).name)

    def _leave_lost_terminals(self) -> None:
        """A terminal that has hung up is not read, and writing to it would fail."""
        for stream in self._terminals:
            if not os.isatty(stream):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream)
                os.close(nowhere)
