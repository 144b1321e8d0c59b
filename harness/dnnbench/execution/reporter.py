"""How a long piece of work tells a user where it stands."""

from typing import Protocol


class Reporter(Protocol):
    """What the command line implements; work never prints."""

    def note(self, text: str) -> None:
        """Something the user must know, once."""

    def stage(self, text: str, total: float) -> None:
        """A new stage begins, of `total` units (seconds or steps)."""

    def advance(self, done: float, text: str = "") -> None:
        """`done` units of the stage are finished; `text` says what is going on."""


class Silent:
    """Tells nobody."""

    def note(self, text: str) -> None:
        pass

    def stage(self, text: str, total: float) -> None:
        pass

    def advance(self, done: float, text: str = "") -> None:
        pass
