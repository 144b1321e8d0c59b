"""Long work, seen from the terminal: a bar on stderr where it is one, lines now and then
where it is not.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..api.progress import terminal_bar
from .output import Output

if TYPE_CHECKING:
    from ..execution.reporter import Reporter

EVERY_S = 30.0
"""How often a stage tells how far it is, in a log, which is not redrawn."""


class Lines:
    """A line a stage, one each half minute with the share that is done, and every note."""

    def __init__(self, output: Output, clock: Callable[[], float] = time.monotonic) -> None:
        self._output, self._clock = output, clock
        self._done, self._total, self._last_s = 0.0, 1.0, clock()

    def note(self, text: str) -> None:
        self._output.note(text)

    def stage(self, text: str, total: float) -> None:
        self._output.note(f"{text} ...")
        self._done, self._total, self._last_s = 0.0, total, self._clock()

    def advance(self, done: float, text: str = "") -> None:
        self._done += done
        if self._clock() - self._last_s < EVERY_S:
            self._output.detail(text)
            return
        self._output.note(f"  {min(self._done / self._total, 1):.0%}  {text}")
        self._last_s = self._clock()


@contextmanager
def reporter(output: Output) -> "Iterator[Reporter]":
    """A Reporter on stderr that fits where stderr goes and how much the user wants to hear."""
    if output.verbosity != 0 or not sys.stderr.isatty():
        yield Lines(output)
        return
    with terminal_bar() as bar:
        yield bar
