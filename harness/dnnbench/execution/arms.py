"""Which arms `--backend` asks for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, product
from typing import NamedTuple

from ..errors import PluginError, UsageError
from ..plugins.checking import BEST
from ..plugins.discovery import missing, plugins
from ..plugins.hooks import BackendInfo
from ..protocol.arm import Arm, telling_apart
from ..wording import near_miss, shortened
from .arm_text import ArmText, named, parse, separate
from .backend_info import backend_info, info_of
from .environments import check_interpreter
from .settings import Settings


class Selection(NamedTuple):
    """What can run, and what was left out with the reason: a backend that is not installed,
    what is wrong with a plugin.
    """

    arms: list[Arm]
    skipped: dict[str, str]


def select(texts: Iterable[str], settings: Settings | None = None) -> Selection:
    """`all`, `all:all`, `torch`, `torch:compile@/path/to/python`, `torch[dtype=bfloat16]`,
    `torch:best`, whose mode `best` finds.

    Several in a list with commas, or one after the other.  `all` leaves out what is not installed;
    a backend that is named must be there.  Each text makes an arm for every combination of the
    settings' types, threads and devices, or of those in its brackets.  Each arm counts once.
    Without settings: the default type, one thread.
    """
    settings = settings or Settings(threads=(1,))
    chosen: dict[Arm, None] = {}
    options: set[str] = set()
    skipped: dict[str, str] = {}
    for text in (part for whole in texts for part in separate(whole)):
        parts = parse(text)
        arms, left_out = _modes(text, parts)
        chosen |= dict.fromkeys(each for arm in arms for each in _swept(arm, parts, settings))
        options |= parts.options.keys()
        skipped |= left_out
    skipped |= {str(origin): reasons for origin, reasons in plugins().complaints().items()}
    if not chosen:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise PluginError(f"no backend can be used here ({reasons or 'none is installed'})")
    return Selection(list(telling_apart(list(chosen), options)), skipped)


def _swept(arm: Arm, parts: ArmText, settings: Settings) -> Iterator[Arm]:
    """The arm in every combination of what it computes in, with and on."""
    combinations = product(
        named(parts, "dtype", settings.dtypes),
        named(parts, "threads", settings.threads),
        named(parts, "device", settings.devices),
    )
    for dtype, threads, device in combinations:
        yield replace(arm, dtype=dtype, threads=threads, device=device)


def _modes(text: str, parts: ArmText) -> tuple[list[Arm], dict[str, str]]:
    """The arms of a text, one a mode, and what `all` leaves out."""
    if parts.backend != "all":
        if parts.environment:
            check_interpreter(parts.environment)
        info = backend_info(parts.backend, parts.environment)
        return _named(info, parts.mode, parts.environment), {}
    if parts.mode not in ("", "all", BEST):
        raise UsageError(
            f"--backend '{shortened(text)}': 'all' takes the default modes, 'all:all' every mode, "
            f"'all:best' the fastest; name a backend for '{shortened(parts.mode)}'"
        )
    # `all` takes what is there; only a backend that is named has to be installed.
    installed = {n: i for n, i in plugins().backends.items() if missing(i) is None}
    skipped = {
        n: f"skipped: {missing(i)}" for n, i in plugins().backends.items() if n not in installed
    }
    arms = [_named(info, parts.mode, parts.environment) for info in installed.values()]
    return list(chain.from_iterable(arms)), skipped


def _named(info: BackendInfo, mode: str, environment: str) -> list[Arm]:
    if not environment and (reason := missing(info)):
        raise PluginError(f"backend '{info.name}': {reason}")
    modes = info.modes if mode == "all" else (mode or info.default_mode,)
    for wanted in modes:
        if wanted not in (*info.modes, BEST):
            available = ", ".join(info.modes)
            raise UsageError(
                f"{info.name} has no mode '{shortened(wanted)}'{near_miss(wanted, info.modes)} "
                f"(it has {available})"
            )
    return [Arm(info.name, wanted, environment=environment) for wanted in modes]


def base_arm(arms: Sequence[Arm], wanted: str | None) -> Arm:
    """The arm that ratios refer to: the first that `wanted` describes.

    Without that, torch in its default mode, else torch, else the first.
    UsageError if none of the arms is described so.
    """
    if wanted:
        return _described(arms, wanted)
    torch = [arm for arm in arms if arm.backend == "torch"]
    usual = [arm for arm in torch if not arm.environment and arm.mode == info_of(arm).default_mode]
    return [*usual, *torch, *arms][0]


def _described(arms: Sequence[Arm], wanted: str) -> Arm:
    """`torch`, `torch@new` and `torch[threads=4]` describe `torch:eager@new[threads=4]`.

    Where no environment is named, arms of this one come first.
    """
    parts = parse(wanted)
    described = [arm for arm in arms if _is_described(arm, parts)]
    exact = [arm for arm in described if arm.environment == parts.environment]
    if not described:
        names = [arm.name for arm in arms]
        raise UsageError(
            f"--base '{shortened(wanted)}' is not among the arms"
            f"{near_miss(wanted, names)} (they are {', '.join(names)})"
        )
    return (exact or described)[0]


def _is_described(arm: Arm, parts: ArmText) -> bool:
    """Whether the arm is as each part of the text says, where it says anything."""
    written = (
        (parts.backend, arm.backend),
        (parts.mode, arm.mode),
        (parts.environment, arm.environment),
    )
    if any(part and part != value for part, value in written):
        return False
    return all(getattr(arm, option) in values for option, values in parts.options.items())
