"""Waiting for a store that is away for a while: a server that restarts,
a file that another process has locked.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..errors import StoreAway

LIMIT_S = 120.0
"""A failover of a managed server takes up to a minute."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0

Result = TypeVar("Result")


@dataclass(frozen=True)
class Patience:
    """How long a store that is away is waited for, and who hears that it is."""

    limit_s: float
    note: Callable[[str], None]

    def outlast(self, work: Callable[[], Result]) -> Result:
        """What `work`, one transaction, returns.

        It is done again while the store is away, up to `limit_s` seconds.

        Raises StoreAway.
        """
        return self._retried(work, work)

    def outlast_once(
        self, work: Callable[[], Result], already_there: Callable[[], bool]
    ) -> Result | None:
        """As `outlast`, of work that may not be done twice; None where it turns out to be done.

        The last answer may have been lost after the work was done, so it is repeated only after
        `already_there` said that it is not.
        """
        return self._retried(work, lambda: None if already_there() else work())

    def _retried(self, first: Callable[[], Result], again: Callable[[], Result]) -> Result:
        deadline_s, pause_s, attempt = time.monotonic() + self.limit_s, FIRST_PAUSE_S, first
        while True:
            try:
                return attempt()
            except StoreAway as error:
                if time.monotonic() + pause_s > deadline_s:
                    raise
                if pause_s == FIRST_PAUSE_S:
                    self.note(f"{error}; trying again for {self.limit_s:g} s")
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            attempt = again


def _discard(text: str) -> None:
    pass


NONE = Patience(0.0, _discard)
"""A store that is away is an error at once."""
