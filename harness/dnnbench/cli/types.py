"""Kinds of option values: lists, shares, durations, labels; `execution.spelling` reads them."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import rich_click as click

from ..execution import spelling

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    _ParamType = click.ParamType[Any]
    _Choice = click.Choice[Any]
else:  # older versions of click have no type arguments
    _ParamType = click.ParamType
    _Choice = click.Choice


class Spelt(_ParamType):
    """A text that a function of `spelling` reads; what has been read already passes."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Word(_Choice):
    """One of a fixed set."""

    def __init__(self, choices: type[StrEnum]) -> None:
        super().__init__([member.value for member in choices])
        self._choices = choices

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._choices(super().convert(value, param, ctx))


class Numbers(Spelt):
    """`1,8,32`: whole numbers of at least 1."""

    def __init__(self) -> None:
        super().__init__("N,N,...", spelling.sizes)


class Devices(Spelt):
    """`auto`, or `cpu,gpu:1`: where arms compute."""

    def __init__(self) -> None:
        super().__init__("auto|cpu|gpu[:N]|tpu[:N],...", spelling.devices)


class Threads(Spelt):
    """`1,4`: numbers of threads."""

    def __init__(self) -> None:
        super().__init__("N,N,...", spelling.thread_counts)


class Words(Spelt):
    """`a,b`: some of a fixed set, or `all`."""

    def __init__(self, choices: Iterable[StrEnum]) -> None:
        members = tuple(choices)
        super().__init__("NAME,...", lambda text: spelling.words(text, members))
        self._names = [str(member) for member in members]

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        from .completing import in_list

        return in_list(self._names, incomplete)


class Generations(Spelt):
    """`6`, or `auto` (None): a number from a least one to 100."""

    def __init__(self, least: int) -> None:
        super().__init__("N|auto", lambda text: spelling.generations(text, least))


class Share(Spelt):
    """`5%` or `0.05`: a share above 0 and below 1."""

    def __init__(self) -> None:
        super().__init__("SHARE", spelling.share)


class Threshold(Spelt):
    """`cnn_*=5%`: a pattern of cells, and the share that passes of them."""

    def __init__(self) -> None:
        super().__init__("PATTERN=SHARE", spelling.threshold)


class Seconds(Spelt):
    """`90`, `90s`, `2m`, `1h`: above 0, and 30 days at most."""

    def __init__(self) -> None:
        super().__init__("TIME", spelling.seconds)


class Moment(Spelt):
    """`2026-11-01`, or `30d`: a point in time."""

    def __init__(self) -> None:
        super().__init__("DATE|DAYSd", spelling.moment)


class Label(Spelt):
    """A name that a user gives; not one of `reserved`, by which something else is found."""

    def __init__(self, reserved: tuple[str, ...] = ()) -> None:
        super().__init__("NAME", lambda text: spelling.label(text, reserved))


class HourlyPrice(Spelt):
    """`lab-3=1.23/h`: what an hour of a machine costs, above 0."""

    def __init__(self) -> None:
        super().__init__("NAME=AMOUNT/h", _hourly_price)


def _hourly_price(text: str) -> Any:
    from ..report.across.prices import Price

    name, _, amount = text.rpartition("=")
    try:
        an_hour = float(amount.removesuffix("/h"))
    except ValueError:
        an_hour = 0.0
    if not name or not 0 < an_hour < float("inf"):
        raise ValueError(
            f"got {text!r}, expected a name and an amount above 0, such as lab-3=1.23/h"
        )
    return Price(name, an_hour)
