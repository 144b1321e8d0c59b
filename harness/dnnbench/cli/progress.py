"""Long work, seen from the terminal: a bar on stderr where it is one, a line a stage where it is not."""

import sys
from contextlib import contextmanager

from .output import Output


class Bar:
    """Shows stages as one bar that moves; notes stand above it."""

    def __init__(self, progress):
        self._progress, self._task = progress, None

    def note(self, text: str) -> None:
        self._progress.console.print(text, highlight=False, markup=False)

    def stage(self, text: str, total: float) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(text, total=total, now="")

    def advance(self, done: float, text: str = "") -> None:
        if self._task is not None:
            self._progress.update(self._task, advance=done, now=text)


class Lines:
    """One line a stage, and every note."""

    def __init__(self, output: Output):
        self._output = output

    def note(self, text: str) -> None:
        self._output.note(text)

    def stage(self, text: str, total: float) -> None:
        self._output.note(f"{text} ...")

    def advance(self, done: float, text: str = "") -> None:
        self._output.detail(text)


@contextmanager
def reporter(output: Output):
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
