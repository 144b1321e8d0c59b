"""How a long piece of work tells a user where it stands."""

from typing import Protocol

from ..masking import masked
from ..wording import printable


class Noting(Protocol):
    """Who tells the user something now and then."""

    def note(self, text: str) -> None:
        """Something the user must know, once."""


class Reporter(Noting, Protocol):
    """What callers implement; work never prints."""

    def stage(self, text: str, total: float) -> None:
        """A new stage begins, of `total` units (seconds or steps)."""

    def advance(self, done: float, text: str = "") -> None:
        """`done` units of the stage are finished; `text` says what is going on."""


class Silent:
    """Discards progress messages."""

    def note(self, text: str) -> None:
        pass

    def stage(self, text: str, total: float) -> None:
        pass

    def advance(self, done: float, text: str = "") -> None:
        pass


def shown(text: str) -> str:
    """A text as it may be printed: passwords masked, what a terminal would obey as escapes."""
    return printable(masked(text))
