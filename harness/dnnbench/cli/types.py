"""Kinds of option values: lists, shares, durations, labels."""

import re
from collections.abc import Iterable
from enum import StrEnum

import rich_click as click

from ..wording import shortened

LARGEST_SIZE = 1_000_000
MOST_DIGITS = 18
"""Python refuses to read whole numbers of very many digits; no option takes one of more than these."""
DECIMAL = r"\d+(?:\.\d+)?|\.\d+"
LONGEST_S = 30 * 86_400.0
LONGEST_LABEL = 200


def whole_number(text: str) -> int | None:
    """The number that decimal digits write; None for another text, and for more digits than any option takes."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


class Numbers(click.ParamType):
    """`1,8,32`: whole numbers of at least 1."""

    name = "N,N,..."

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        numbers = [whole_number(part.strip()) for part in value.split(",")]
        if not all(number is not None and 1 <= number <= LARGEST_SIZE for number in numbers):
            self.fail(
                f"got '{shortened(value)}', expected whole numbers from 1 to {LARGEST_SIZE} with commas, such as 1,32",
                param,
                ctx,
            )
        return tuple(dict.fromkeys(numbers))


class Words(click.ParamType):
    """`a,b`: some of a fixed set, or `all`."""

    name = "NAME,..."

    def __init__(self, known: Iterable[StrEnum]):
        self._known = tuple(known)

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        parts = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
        if parts == ("all",):
            return self._known
        for part in parts:
            if part not in self._known:
                self.fail(
                    f"got '{shortened(part)}', expected all or some of {', '.join(self._known)}",
                    param,
                    ctx,
                )
        return tuple(member for part in parts for member in self._known if member == part)


class Word(click.Choice):
    """One of a fixed set."""

    def __init__(self, known: type[StrEnum]):
        super().__init__([member.value for member in known])
        self._known = known

    def convert(self, value, param, ctx):
        return self._known(super().convert(value, param, ctx))


class Generations(click.ParamType):
    """`6`, or `auto` (None): a number from a least one to 100."""

    name = "N|auto"

    def __init__(self, least: int):
        self._least = least

    def convert(self, value, param, ctx):
        if value is None or isinstance(value, int):
            return value
        if value == "auto":
            return None
        number = whole_number(value)
        if number is None or not self._least <= number <= 100:
            self.fail(
                f"got '{shortened(value)}', expected a number from {self._least} to 100, or auto",
                param,
                ctx,
            )
        return number


class Share(click.ParamType):
    """`5%` or `0.05`: a share above 0 and below 1."""

    name = "SHARE"

    def convert(self, value, param, ctx):
        if isinstance(value, float):
            return value
        match = re.fullmatch(rf"({DECIMAL})\s*(%?)", value.strip())
        share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
        if not 0 < share < 1:
            self.fail(f"got '{shortened(value)}', expected a share such as 5% or 0.05", param, ctx)
        return share


class Seconds(click.ParamType):
    """`90`, `90s`, `2m`, `1h`: above 0, and 30 days at most."""

    name = "TIME"

    def convert(self, value, param, ctx):
        if isinstance(value, float):
            return value
        match = re.fullmatch(rf"({DECIMAL})\s*(s|m|min|h|)", value.strip())
        seconds = (
            float(match[1]) * {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}[match[2]]
            if match
            else 0.0
        )
        if not 0 < seconds <= LONGEST_S:
            self.fail(
                f"got '{shortened(value)}', expected a time such as 60s, 2m or 1h, 720h at most",
                param,
                ctx,
            )
        return seconds


class Label(click.ParamType):
    """A name that a user gives; not one of `reserved`, by which something else is found."""

    name = "NAME"

    def __init__(self, reserved: tuple[str, ...] = ()):
        self._reserved = reserved

    def convert(self, value, param, ctx):
        if value in self._reserved:
            self.fail(
                f"'{value}' has a meaning of its own already; choose another name", param, ctx
            )
        if not value.strip() or not value.isprintable() or len(value) > LONGEST_LABEL:
            wanted = f"1 to {LONGEST_LABEL} printable characters, not only spaces"
            self.fail(f"got '{shortened(value)}', expected {wanted}", param, ctx)
        return value
