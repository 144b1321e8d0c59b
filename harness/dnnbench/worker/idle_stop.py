"""A worker that uses CPU while it waits is stopped between its requests."""

import contextlib
import os
import signal

from .supervised import Supervised


class IdleStop:
    """Stops a process while it has nothing to do, once `begin` was called,
    and counts how often others stopped it.
    """

    def __init__(self, process: Supervised) -> None:
        self._process = process
        self._begun = False
        self._stops = 0

    def begin(self, busy: bool) -> None:
        """Stop the process from now on whenever it is idle."""
        self._begun = True
        if not busy:
            self.idle()

    def idle(self) -> None:
        """The process is idle now."""
        if self._begun:
            self._stops += self._process.was_stopped()
            self._signal(signal.SIGSTOP)

    def busy(self) -> None:
        """The process has something to do now."""
        if self._begun:
            self._signal(signal.SIGCONT)
            self._process.forget_stop()  # it was ours

    def new_stops(self, busy: bool) -> int:
        """Stops by others since the last question; the stop of an idle process is ours."""
        stops, self._stops = self._stops, 0
        ours = self._begun and not busy
        return stops + (not ours and self._process.was_stopped())

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
