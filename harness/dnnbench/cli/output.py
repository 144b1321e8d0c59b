"""Data to stdout, everything else to stderr, and how much of it.

No password and no terminal's command in either.
"""

import codecs
import contextlib
import json
import math
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from ..execution.reporter import shown
from ..masking import masked, masked_values

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

SCHEMA_VERSION = 2
"""Of every JSON document that a command prints; goes up when a key changes its meaning
or disappears.
"""
PLAINER = {"∞": "inf", "≤": "<=", **dict(zip("▁▂▃▄▅▆▇█", "_.,-=+*#", strict=True))}
"""What is written where a stream's encoding has no such character."""
UNCUT_COLUMNS = 1000
"""Width of tables that go to a file or a pipe, where no terminal says one:
nothing is left out, and no line broken.
"""


class Output:
    """Where a command writes; `verbosity` is -1 (quiet), 0 or 1 (verbose)."""

    def __init__(self, verbosity: int = 0) -> None:
        self.verbosity = verbosity

    def json(self, document: Mapping[str, Any]) -> None:
        """One JSON object on stdout, `schema_version` first.

        What JSON cannot say (NaN) becomes null.
        """
        shown = masked_values(_finite({"schema_version": SCHEMA_VERSION, **document}))
        print(json.dumps(shown, indent=2, allow_nan=False))

    def text(self, text: str) -> None:
        """Data for a reader, at once."""
        print(_fit_for(sys.stdout, shown(text)), flush=True)

    def table(self, table: "RenderableType") -> None:
        """A rich table (or anything that rich can draw) on stdout."""
        console = _console(sys.stdout)
        with console.capture() as drawn:
            console.print(table, crop=False)
        print(_fit_for(sys.stdout, masked(drawn.get())), end="", flush=True)

    def note(self, text: str) -> None:
        """What the user should know, on stderr unless quiet."""
        if self.verbosity >= 0:
            _tell(shown(text))

    def detail(self, text: str) -> None:
        """What only a verbose user wants, on stderr."""
        if self.verbosity > 0:
            _tell(shown(text))

    def error(self, text: str) -> None:
        """What went wrong, on stderr, quiet or not."""
        _tell(f"dnnbench: {shown(text)}")

    def end(self) -> None:
        """No more data: what plugins and C libraries still print as the process ends
        goes to stderr.
        """
        with contextlib.suppress(OSError):  # a stream that is closed mixes nothing up
            os.dup2(2, 1)


def _tell(text: str) -> None:
    """A line on stderr.

    If that is full or closed, the work goes on without the line: what is measured counts.
    """
    with contextlib.suppress(OSError):
        print(_fit_for(sys.stderr, text), file=sys.stderr)


def _fit_for(stream: TextIO, text: str) -> str:
    """The text as the stream's encoding can take it: '≤' is '<=' in Windows-1252, and what
    nothing plainer stands for is its escape.
    """
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "dnnbench.plainer").decode(encoding)


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """How `codecs` is answered for a run of characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(PLAINER.get(one) or _escaped(one) for one in lacking), error.end


def _escaped(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error("dnnbench.plainer", _plainer)


def _console(file: TextIO) -> "Console":
    from rich.console import Console

    fixed = None if file.isatty() or "COLUMNS" in os.environ else UNCUT_COLUMNS
    return Console(file=file, width=fixed, highlight=False, markup=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
