"""Whether a process lives, as the system says: it runs, is stopped, or is gone."""

import time

import psutil

STEP_S = 0.002
STOPPED_LOOKS = 4
"""Consecutive looks, a quarter of a second apart, at a worker that others stopped:
then it is given up.
"""


class Liveness:
    """Looks at one process, and counts those in a row that find it stopped."""

    def __init__(self, pid: int) -> None:
        self._pid, self._stopped_looks = pid, 0

    def begin(self) -> None:
        """Count anew, because the process is waited for anew."""
        self._stopped_looks = 0

    @property
    def given_up(self) -> bool:
        """Whether it was found stopped too often in a row to be waited for."""
        return self._stopped_looks >= STOPPED_LOOKS

    def may_answer(self) -> bool:
        """Whether the process lives, and was not found stopped in several looks on end:
        it may be let go on.
        """
        status = self._status()
        self._stopped_looks = self._stopped_looks + 1 if status == psutil.STATUS_STOPPED else 0
        return status not in (None, psutil.STATUS_ZOMBIE) and not self.given_up

    def running(self) -> bool:
        """Whether it has not ended; a zombie has."""
        return self._status() not in (None, psutil.STATUS_ZOMBIE)

    def ended_within(self, timeout_s: float) -> None:
        """Wait until it has ended, or for so long."""
        deadline = time.monotonic() + timeout_s
        while self.running() and time.monotonic() < deadline:
            time.sleep(STEP_S)

    def _status(self) -> str | None:
        try:
            return psutil.Process(self._pid).status()
        except psutil.NoSuchProcess:
            return None
