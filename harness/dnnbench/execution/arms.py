"""Which arms `--backend` asks for."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from ..errors import PluginError, UsageError
from ..plugins.discovery import missing, plugins
from ..plugins.hooks import BackendInfo
from ..protocol.arm import Arm
from ..protocol.device import AUTO
from ..wording import near_miss, shortened
from .environments import check_interpreter


class Selection(NamedTuple):
    """What can run, and what was left out with the reason: a backend that is not installed,
    what is wrong with a plugin.
    """

    arms: list[Arm]
    skipped: dict[str, str]


def select(texts: Iterable[str]) -> Selection:
    """`all`, `all:all`, `torch`, `torch:compile`, `torch@/path/to/python`,
    lists with commas, repetition.

    `all` leaves out what is not installed; a backend that is named must be there.
    Each arm counts once.
    """
    chosen: dict[str, Arm] = {}
    skipped: dict[str, str] = {}
    parts = chain.from_iterable(text.split(",") for text in texts)
    for part in parts:
        arms, left_out = _parse(part.strip())
        chosen |= {arm.name: arm for arm in arms}
        skipped |= left_out
    skipped |= {str(origin): reasons for origin, reasons in plugins().complaints().items()}
    if not chosen:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise PluginError(f"no backend can be used here ({reasons or 'none is installed'})")
    return Selection(list(chosen.values()), skipped)


def _parse(text: str) -> tuple[list[Arm], dict[str, str]]:
    head, at, environment = text.partition("@")
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
    if name != "all":
        return _named(plugins().backend(name), mode, environment), {}
    if mode not in ("", "all"):
        raise UsageError(
            f"--backend '{shortened(text)}': 'all' takes the default modes, 'all:all' every mode; "
            f"name a backend for '{shortened(mode)}'"
        )
    # `all` takes what is there; only a backend that is named has to be installed.
    installed = {n: i for n, i in plugins().backends.items() if missing(i) is None}
    skipped = {
        n: f"skipped: {missing(i)}" for n, i in plugins().backends.items() if n not in installed
    }
    of_each = (_named(info, mode, environment) for info in installed.values())
    return list(chain.from_iterable(of_each)), skipped


def _named(info: BackendInfo, mode: str, environment: str) -> list[Arm]:
    if environment:
        check_interpreter(environment)
    elif reason := missing(info):
        raise PluginError(f"backend '{info.name}': {reason}")
    modes = info.modes if mode == "all" else (mode or info.default_mode,)
    for wanted in modes:
        if wanted not in info.modes:
            available = ", ".join(info.modes)
            raise UsageError(
                f"{info.name} has no mode '{shortened(wanted)}'{near_miss(wanted, info.modes)} "
                f"(it has {available})"
            )
    return [Arm(info.name, wanted, AUTO, environment=environment) for wanted in modes]


def info_of(arm: Arm) -> BackendInfo:
    """What the plugin announced of an arm's backend."""
    return plugins().backend(arm.backend)


def _spellings(arm: Arm) -> tuple[str, ...]:
    """How a user may write an arm: its name, without the mode, the backend alone; closest first."""
    environment = f"@{arm.environment}" if arm.environment else ""
    return arm.name, f"{arm.backend}{environment}", arm.backend


def base_arm(arms: Sequence[Arm], wanted: str | None) -> str:
    """The name of the arm that ratios refer to: the one wanted, else torch in its default mode,
    else the first.
    """
    if wanted:
        return _wanted_arm(arms, wanted).name
    torch = [arm for arm in arms if arm.backend == "torch"]
    usual = [
        arm
        for arm in torch
        if not arm.environment and arm.mode == plugins().backends["torch"].default_mode
    ]
    return [*usual, *torch, *arms][0].name


def _wanted_arm(arms: Sequence[Arm], wanted: str) -> Arm:
    """The arm that is written so; UsageError where none is."""
    for close in (2, 3):
        matches = [arm for arm in arms if wanted in _spellings(arm)[:close]]
        if matches:
            return matches[0]
    names = [arm.name for arm in arms]
    raise UsageError(
        f"--base '{shortened(wanted)}' is not among the arms{near_miss(wanted, names)} "
        f"(they are {', '.join(names)})"
    )
