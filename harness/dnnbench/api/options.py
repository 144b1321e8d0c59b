"""Values of Python read as the command line reads its texts, so that both take the same and refuse
the same.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ..errors import UsageError
from ..execution import spelling
from ..execution.settings import Settings, all_cpus
from ..execution.spelling import AUTO
from ..plugins.networks import Network
from ..protocol.device import Device
from ..protocol.dtypes import DType
from ..spec.model import Model
from ..spec.workload import Workload
from ..wording import shortened

Result = TypeVar("Result")
Texts = str | Sequence[str]
"""One text, in which commas part a list, or several."""
Number = int | float | str
"""A number, or the text that the command line would take: `2m`, `5%`."""
Threads = int | str | Sequence[int] | None
"""Numbers of threads, alone or several; None for one for each CPU."""
DTYPES: Texts = tuple(Settings.dtypes)
DEVICES: Texts = tuple(map(str, Settings.devices))
Networks = str | Network | Iterable[str | Network]
"""Names, files, and values of Python, alone or several."""


def read(name: str, value: object, reader: Callable[[str], Result]) -> Result:
    """What `reader` makes of a value's text.

    UsageError, with the option's name, where it refuses it.
    """
    try:
        return reader(text_of(value))
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None


def text_of(value: object) -> str:
    """A value as the command line would spell it: lists with commas, None as `auto`."""
    if value is None:
        return AUTO
    if isinstance(value, float):
        return format(value, ".17f")
    if isinstance(value, str) or not isinstance(value, Iterable):
        return str(value)
    return ",".join(map(text_of, value))


def texts(name: str, value: Texts) -> tuple[str, ...]:
    """One text or several, as several; UsageError where one is none, or empty."""
    several = (value,) if isinstance(value, str) else tuple(value)
    for text in several:
        if not isinstance(text, str) or not text:
            raise UsageError(f"{name}: got {shortened(repr(text))}, expected a text")
    return several


def networks(value: Networks) -> list[str | Network]:
    """One network or several, as several."""
    if isinstance(value, str | Workload | Model) or callable(value):
        return [value]
    if isinstance(value, Iterable):
        return list(value)
    raise UsageError(
        f"workloads: got {shortened(repr(value))}, expected names, Workloads or Models"
    )


def whole(name: str, value: int, least: int, most: int) -> int:
    """A whole number between two, both included; UsageError for any other value."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        got = shortened(repr(value))
        raise UsageError(f"{name}: got {got}, expected a whole number from {least} to {most}")
    return value


def element_types(value: Texts) -> tuple[DType, ...]:
    """The element types of these names."""
    return read("dtype", value, lambda text: spelling.words(text, tuple(DType)))


def thread_counts(value: Threads) -> tuple[int, ...]:
    """The numbers asked for, else one for each CPU."""
    if value is None or value == ():
        return (all_cpus(),)
    return read("threads", value, spelling.thread_counts)


def devices(value: Texts) -> tuple[Device, ...]:
    """The devices of these names."""
    return read("device", value, spelling.devices)
