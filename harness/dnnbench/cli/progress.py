"""Long work, seen from the terminal: a bar on stderr where it is one, lines now and then
where it is not.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .output import Output, shown

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ..execution.reporter import Reporter


class Bar:
    """Shows stages as one bar that moves; notes stand above it."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def note(self, text: str) -> None:
        self._progress.console.print(shown(text), highlight=False, markup=False)

    def stage(self, text: str, total: float) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(shown(text), total=total, now="")

    def advance(self, done: float, text: str = "") -> None:
        if self._task is not None:
            self._progress.update(self._task, advance=done, now=shown(text))


EVERY_S = 30.0
"""How often a stage tells how far it is, in a log that nobody redraws."""


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
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress)
