"""Long work, seen from Python: a bar in a terminal, lines in a notebook, and always the log."""

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..execution.reporter import Reporter, shown
from ..wording import shortened

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LOGGER = logging.getLogger("dnnbench")
REDRAWN_EVERY_S = 0.25
MOST_CHARACTERS = 100
BAR_CELLS = 24


class Logged:
    """Notes and stages at level INFO of the logger `dnnbench`, steps at DEBUG."""

    def note(self, text: str) -> None:
        LOGGER.info("%s", shown(text))

    def stage(self, text: str, total: float) -> None:
        LOGGER.info("%s ...", shown(text))

    def advance(self, done: float, text: str = "") -> None:
        LOGGER.debug("%s", shown(text))


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


class NotebookLine:
    """Notes and, below them, a line that tells how far the stage is, redrawn in its place."""

    def __init__(self, display: Any) -> None:
        """display: a handle of IPython, which takes an object to show by `update`."""
        self._display = display
        self._notes: list[str] = []
        self._stage, self._done, self._total = "", 0.0, 1.0
        self._drawn_s = 0.0

    def note(self, text: str) -> None:
        self._notes.append(shown(text))
        self._draw("")

    def stage(self, text: str, total: float) -> None:
        self._stage, self._done, self._total = shown(text), 0.0, total
        self._draw("")

    def advance(self, done: float, text: str = "") -> None:
        self._done += done
        if time.monotonic() - self._drawn_s >= REDRAWN_EVERY_S:
            self._draw(shown(text))

    def end(self) -> None:
        """The notes stay, the line goes."""
        self._stage = ""
        self._draw("")

    def _draw(self, now: str) -> None:
        share = min(self._done / self._total, 1.0) if self._total else 1.0
        full = round(BAR_CELLS * share)
        bar = "█" * full + "░" * (BAR_CELLS - full)
        line = f"{self._stage} {bar} {share:.0%} {shortened(now, MOST_CHARACTERS)}"
        self._display.update(Plain("\n".join([*self._notes, *([line] if self._stage else [])])))
        self._drawn_s = time.monotonic()


class Plain:
    """A text that a notebook shows as it stands."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class Several:
    """Tells each of several reporters."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self._reporters = reporters

    def note(self, text: str) -> None:
        for reporter in self._reporters:
            reporter.note(text)

    def stage(self, text: str, total: float) -> None:
        for reporter in self._reporters:
            reporter.stage(text, total)

    def advance(self, done: float, text: str = "") -> None:
        for reporter in self._reporters:
            reporter.advance(done, text)


@contextmanager
def progress_reporter(progress: bool) -> Iterator[Reporter]:
    """The log, and with `progress` a notebook's line, or a bar where stderr is a terminal."""
    display = _notebook_display() if progress else None
    if display is not None:
        line = NotebookLine(display)
        try:
            yield Several([Logged(), line])
        finally:
            line.end()
    elif progress and sys.stderr.isatty():
        with terminal_bar() as bar:
            yield Several([Logged(), bar])
    else:
        yield Logged()


@contextmanager
def terminal_bar() -> Iterator[Bar]:
    """A bar on stderr, gone at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=BAR_CELLS),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress)


def _notebook_display() -> Any:
    """A display of a notebook that can be changed; None outside one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or "IPKernelApp" not in shell.config:
        return None
    return import_module("IPython.display").display(Plain(""), display_id=True)
