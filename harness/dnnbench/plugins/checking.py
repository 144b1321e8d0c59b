"""What plugins say of a backend or a workload, held to what it may be before anything
relies on it.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..wording import near_miss
from .guard import glimpse
from .hooks import BackendInfo, WorkloadInfo

ALL = "all"
"""Stands for every backend, mode or workload, so none may be called so."""
BEST = "best"
"""Stands for the mode in which a backend is fastest on a machine, so no mode may be called so."""


@dataclass(frozen=True)
class Form:
    """What a text must look like, as a pattern and in words."""

    pattern: str
    words: str
    taken: tuple[str, ...] = (ALL,)
    """What fits and stands for something else."""

    def fits(self, value: Any) -> bool:
        return (
            isinstance(value, str)
            and value not in self.taken
            and re.fullmatch(self.pattern, value) is not None
        )


LINE = Form(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}", "one line of at most 200 characters")
BACKEND = Form(
    r"[a-z][a-z0-9_.-]{0,63}",
    "lower-case letters, digits, '_', '.' and '-', a letter first, and not 'all'",
)
MODE = Form(
    r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
    "letters, digits, '_', '.' and '-', and not 'all' or 'best'",
    (ALL, BEST),
)
TARGET = Form(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", "'module:Class'")
SCRIPT = Form(rf"({TARGET.pattern})?", "'module:Class', or ''")
DISTRIBUTION = Form(
    r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", "a distribution's name without a version"
)
EXTRA = Form(rf"({DISTRIBUTION.pattern})?", "the name of an extra, or ''")
CACHE = Form(
    r"(?!DNNBENCH)[A-Z][A-Z0-9_]*CACHE[A-Z0-9_]*",
    "an environment variable with CACHE in its name: all arms get it",
)
WORKLOAD = Form(
    r"[A-Za-z_][A-Za-z0-9_.]{0,99}", "letters, digits, '_' and '.', no digit first, and not 'all'"
)
PRESET = Form(r"[A-Za-z0-9_.+-]{1,64}", "letters, digits, '_', '.', '+' and '-'")


class Unfit(Exception):
    """An info that breaks rules; `problems` holds every one."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def checked_backend(info: BackendInfo) -> BackendInfo:
    """The info, with tuples where it has lists. Raises Unfit."""
    problems = [
        *_text("name", info.name, BACKEND),
        *_text("title", info.title, LINE),
        *_texts("modes", info.modes, MODE),
        *_text("target", info.target, TARGET),
        *_text("script", info.script, SCRIPT),
        *_texts("requires", info.requires, DISTRIBUTION),
        *_text("extra", info.extra, EXTRA),
        *_switch("reference", info.reference),
        *_switch("cpu_only", info.cpu_only),
        *_switch("float64_apart", info.float64_apart),
        *_texts("caches", info.caches, CACHE),
    ]
    if not problems:
        problems += _modes(info)
    if problems:
        raise Unfit(problems)
    return replace(
        info, modes=tuple(info.modes), requires=tuple(info.requires), caches=tuple(info.caches)
    )


def _modes(info: BackendInfo) -> Iterator[str]:
    if not info.modes:
        yield "modes: got none, expected at least one"
    if len(set(info.modes)) < len(info.modes):
        yield f"modes: got {glimpse(info.modes)}, expected each once"
    if info.default_mode not in info.modes:
        near = near_miss(str(info.default_mode), info.modes)
        yield (
            f"default_mode: got {glimpse(info.default_mode)}, expected one "
            f"of {', '.join(info.modes)}{near}"
        )


def checked_workload(info: WorkloadInfo) -> WorkloadInfo:
    """The info as it is. Raises Unfit."""
    problems = [
        *_text("name", info.name, WORKLOAD),
        *_text("description", info.description, LINE),
        *_builder(info.build),
        *_switch("default", info.default),
    ]
    if not problems:
        problems += _presets(info)
    if problems:
        raise Unfit(problems)
    return info


def _builder(build: Callable[..., Any]) -> Iterator[str]:
    if not callable(build):
        yield f"build: got {glimpse(build)}, expected a function that makes a Workload"
        return
    for name, parameter in inspect.signature(build, eval_str=True).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            yield f"build: parameter '{parameter}' cannot be given by its name"
        elif parameter.default is parameter.empty:
            yield f"build: parameter '{name}' has no default"
        else:
            yield from _plain(f"build: default of '{name}'", parameter.default)


def _presets(info: WorkloadInfo) -> Iterator[str]:
    if not isinstance(info.presets, Mapping):
        yield f"presets: got {glimpse(info.presets)}, expected a mapping of names to parameters"
        return
    parameters = inspect.signature(info.build).parameters
    for name, values in info.presets.items():
        yield from _text("presets", name, PRESET)
        if not isinstance(values, Mapping):
            yield (
                f"presets: '{name}': got {glimpse(values)}, expected a mapping of parameters "
                "to values"
            )
            continue
        for key, value in values.items():
            if key not in parameters:
                near = near_miss(str(key), parameters)
                yield (
                    f"presets: '{name}': got {glimpse(key)}, expected a parameter "
                    f"of its builder{near}"
                )
            yield from _plain(f"presets: '{name}': '{key}'", value)


def _text(field: str, value: Any, form: Form) -> Iterator[str]:
    if not form.fits(value):
        yield f"{field}: got {glimpse(value)}, expected {form.words}"


def _texts(field: str, values: Any, form: Form) -> Iterator[str]:
    if not isinstance(values, tuple | list):
        yield f"{field}: got {glimpse(values)}, expected a tuple, each of {form.words}"
        return
    for value in values:
        yield from _text(field, value, form)


def _switch(field: str, value: Any) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{field}: got {glimpse(value)}, expected True or False"


def _plain(where: str, value: Any) -> Iterator[str]:
    """A value that can be written in a name, in JSON and in a message."""
    if value is not None and not isinstance(value, bool | int | float | str):
        yield f"{where}: got {glimpse(value)}, expected a number, a text, True, False or None"
