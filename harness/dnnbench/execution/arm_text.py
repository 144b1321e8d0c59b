"""How an arm is written: `BACKEND[:MODE][@PYTHON][[OPTION=VALUE[,VALUE...],...]]`."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..errors import DnnbenchError, UsageError
from ..plugins.checking import ALL, BEST, MODE
from ..protocol.arm import OPTIONS
from ..protocol.device import requested_device
from ..protocol.dtypes import DType
from ..wording import near_miss, shortened
from . import spelling

_WRITTEN = re.compile(r"([^\[\]]*)(?:\[([^\[\]]*)\])?")
_READ: dict[str, Callable[[str], Any]] = {
    "dtype": partial(spelling.word, choices=DType),
    "threads": spelling.threads,
    "device": requested_device,
}


@dataclass(frozen=True)
class ArmText:
    """The parts of an arm's text; empty where it leaves one out."""

    backend: str
    mode: str
    environment: str
    options: dict[str, tuple[Any, ...]]
    """By name of the option: the values that are named."""


def separate(text: str) -> Iterator[str]:
    """The arms of a list with commas; those within brackets part no arms."""
    depth, start = 0, 0
    for place, sign in enumerate(text):
        depth += (sign == "[") - (sign == "]")
        if sign == "," and depth == 0:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()


def parse(text: str) -> ArmText:
    """The parts of `text`; UsageError where it names no backend, or a part is empty or unknown."""
    match = _WRITTEN.fullmatch(text)
    if not match:
        raise UsageError(
            f"--backend '{shortened(text)}': expected NAME[:MODE][@PYTHON][OPTION=VALUE,...]; "
            "check its brackets"
        )
    head, at, environment = match[1].partition("@")
    name, colon, mode = head.partition(":")
    if not name:
        raise UsageError(
            f"--backend '{shortened(text)}' names no backend; "
            "write all, torch, torch:compile or a list with commas"
        )
    for sign, part, what in ((colon, mode, "mode"), (at, environment, "environment")):
        if sign and not part:
            raise UsageError(
                f"--backend '{shortened(text)}': no {what} follows the '{sign}'; "
                "name one, or leave it out"
            )
    if mode not in ("", ALL, BEST) and not MODE.fits(mode):
        # Whatever else it is, an address with a password among it, is not repeated.
        raise UsageError(
            f"--backend: what follows '{shortened(name)}:' is no mode, which has {MODE.words}"
        )
    return ArmText(name, mode, environment, _options(text, match[2]))


def in_environment(text: str, environment: str) -> str:
    """`torch:compile[threads=2]` as it is written for another environment; UsageError where it
    names one already.
    """
    parts = parse(text)
    if parts.environment:
        raise UsageError(
            f"--backend '{shortened(text)}': names an environment, where --git makes one for "
            "each revision; leave it out"
        )
    head, bracket, options = text.partition("[")
    return f"{head}@{environment}{bracket}{options}"


def _options(text: str, inside: str | None) -> dict[str, tuple[Any, ...]]:
    """`dtype=float32,bfloat16,threads=4`: what follows a name belongs to it."""
    if inside is None:
        return {}
    values: dict[str, list[Any]] = {}
    name = ""
    for item in inside.split(","):
        before, equals, after = (part.strip() for part in item.partition("="))
        if equals:
            name = _new_option(text, before, values)
        values.setdefault(name, []).append(_value(text, name, after if equals else before))
    return {option: tuple(dict.fromkeys(several)) for option, several in values.items()}


def _new_option(text: str, name: str, values: dict[str, list[Any]]) -> str:
    if name not in OPTIONS:
        raise UsageError(
            f"--backend '{shortened(text)}': an arm has no '{shortened(name)}'"
            f"{near_miss(name, OPTIONS)} (it has {', '.join(OPTIONS)})"
        )
    if name in values:
        raise UsageError(f"--backend '{shortened(text)}': '{name}' is given twice; give it once")
    return name


def _value(text: str, name: str, written: str) -> Any:
    if not name:
        raise UsageError(
            f"--backend '{shortened(text)}': got '{shortened(written)}' in its brackets, "
            f"expected OPTION=VALUE with an option of {', '.join(OPTIONS)}"
        )
    try:
        return _READ[name](written)
    except (ValueError, DnnbenchError) as error:
        raise UsageError(f"--backend '{shortened(text)}', {name}: {error}") from None


def named(parts: ArmText, option: str, otherwise: Sequence[Any]) -> tuple[Any, ...]:
    """The values of an option that the text names, else those of the run."""
    return parts.options.get(option) or tuple(otherwise)
