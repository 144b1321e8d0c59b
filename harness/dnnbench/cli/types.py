"""Kinds of option values: lists, shares, durations."""

import re

import rich_click as click


class Numbers(click.ParamType):
    """`1,8,32`: whole numbers of at least 1."""

    name = "N,N,..."

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in value.split(",")]
        if not all(part.isdecimal() and 1 <= int(part) <= 1_000_000 for part in parts):
            self.fail(
                f"got '{value}', expected whole numbers from 1 to 1000000 with commas, such as 1,32",
                param,
                ctx,
            )
        return tuple(dict.fromkeys(map(int, parts)))


class Words(click.ParamType):
    """`a,b`: some of a fixed set, or `all`."""

    name = "NAME,..."

    def __init__(self, known: tuple[str, ...]):
        self._known = known

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        parts = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
        if parts == ("all",):
            return self._known
        for part in parts:
            if part not in self._known:
                self.fail(f"got '{part}', expected all or some of {', '.join(self._known)}", param, ctx)
        return parts


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
        if not value.isdecimal() or not self._least <= int(value) <= 100:
            self.fail(f"got '{value}', expected a number from {self._least} to 100, or auto", param, ctx)
        return int(value)


class Share(click.ParamType):
    """`5%` or `0.05`: a share above 0 and below 1."""

    name = "SHARE"

    def convert(self, value, param, ctx):
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"\s*(\d*\.?\d+)\s*(%?)\s*", value)
        share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
        if not 0 < share < 1:
            self.fail(f"got '{value}', expected a share such as 5% or 0.05", param, ctx)
        return share


class Seconds(click.ParamType):
    """`90`, `90s`, `2m`, `1h`."""

    name = "TIME"

    def convert(self, value, param, ctx):
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"\s*(\d*\.?\d+)\s*(s|m|min|h|)\s*", value)
        seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}[match[2]] if match else 0.0
        if seconds <= 0:
            self.fail(f"got '{value}', expected a time such as 60s, 2m or 1h", param, ctx)
        return seconds
