"""Kinds of option values: lists, shares, durations, labels; `execution.spelling` reads them."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import rich_click as click

from ..execution import spelling


class Spelt(click.ParamType):
    """A text that a function of `spelling` reads; what has been read already passes."""

    def __init__(self, name: str, read: Callable[[str], Any]):
        self.name = name
        self._read = read

    def convert(self, value, param, ctx):
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Word(click.Choice):
    """One of a fixed set."""

    def __init__(self, choices: type[StrEnum]):
        super().__init__([member.value for member in choices])
        self._choices = choices

    def convert(self, value, param, ctx):
        return self._choices(super().convert(value, param, ctx))


class Numbers(Spelt):
    """`1,8,32`: whole numbers of at least 1."""

    def __init__(self):
        super().__init__("N,N,...", spelling.sizes)


class Words(Spelt):
    """`a,b`: some of a fixed set, or `all`."""

    def __init__(self, choices: Iterable[StrEnum]):
        members = tuple(choices)
        super().__init__("NAME,...", lambda text: spelling.words(text, members))


class Generations(Spelt):
    """`6`, or `auto` (None): a number from a least one to 100."""

    def __init__(self, least: int):
        super().__init__("N|auto", lambda text: spelling.generations(text, least))


class Share(Spelt):
    """`5%` or `0.05`: a share above 0 and below 1."""

    def __init__(self):
        super().__init__("SHARE", spelling.share)


class Seconds(Spelt):
    """`90`, `90s`, `2m`, `1h`: above 0, and 30 days at most."""

    def __init__(self):
        super().__init__("TIME", spelling.seconds)


class Label(Spelt):
    """A name that a user gives; not one of `reserved`, by which something else is found."""

    def __init__(self, reserved: tuple[str, ...] = ()):
        super().__init__("NAME", lambda text: spelling.label(text, reserved))
