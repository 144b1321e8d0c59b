"""Parameters of a workload in its name: NAME[PRESET,PARAMETER=VALUE,...]."""

import inspect
import re
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..errors import PluginError, UsageError
from ..wording import near_miss, shortened
from .hooks import WorkloadInfo

_NAMED = re.compile(r"([^\[\]]+)(?:\[([^\[\]]*)\])?")
MOST_COMBINATIONS = 1000
_FINITE = ConfigDict(allow_inf_nan=False)


def split(text: str) -> tuple[str, list[str]]:
    """`resnet50[tiny,batch=2]` as ('resnet50', ['tiny', 'batch=2']).

    UsageError for brackets in any other place.
    """
    match = _NAMED.fullmatch(text.strip())
    if not match:
        raise UsageError(
            f"workload '{shortened(text)}': expected NAME or NAME[PARAMETER=VALUE,...]; "
            "check its brackets"
        )
    return match[1].strip(), [item.strip() for item in (match[2] or "").split(",") if item.strip()]


def defaults(info: WorkloadInfo) -> dict[str, Any]:
    """Value by parameter, in the builder's order."""
    return {name: parameter.default for name, parameter in _signature(info).items()}


def chosen(info: WorkloadInfo, items: Sequence[str]) -> dict[str, Any]:
    """Every parameter's value: defaults, then presets, then what is given one by one.

    UsageError for an unknown preset or parameter, a value that its annotation refuses,
    or a parameter given twice.
    """
    values = defaults(info)
    single: dict[str, Any] = {}
    for item in items:
        name, equals, text = (part.strip() for part in item.partition("="))
        if not equals:
            values |= _preset(info, name)
        elif name in single:
            raise UsageError(f"workload '{info.name}': '{name}' is given twice; give it once")
        else:
            single[name] = _value(info, name, text)
    return values | single


def combinations(info: WorkloadInfo, items: Sequence[str]) -> list[list[str]]:
    """Items of one value each, a list for every combination of values: `batch=1,8` makes two.

    A word behind a parameter is another value of it, unless it is a preset.
    UsageError for more than `MOST_COMBINATIONS`.
    """
    alternatives: list[list[str]] = []
    for item in items:
        name, equals, _ = alternatives[-1][0].partition("=") if alternatives else ("", "", "")
        if equals and "=" not in item and item not in info.presets:
            alternatives[-1].append(f"{name}={item}")
        else:
            alternatives.append([item])
    count = prod(map(len, alternatives))
    if count > MOST_COMBINATIONS:
        raise UsageError(
            f"workload '{info.name}': got lists that make {count:,} workloads, expected at most "
            f"{MOST_COMBINATIONS:,}; give fewer values"
        )
    return list(map(list, product(*alternatives)))


def canonical(info: WorkloadInfo, values: Mapping[str, Any]) -> str:
    """The shortest name of these values: the preset nearest to them, or none,
    and what differs from it.
    """
    differing = {"": _differing(defaults(info), values)}
    for name, preset in info.presets.items():
        differing[name] = _differing(defaults(info) | dict(preset), values)
    nearest = min(differing, key=lambda name: len(differing[name]))
    items = [nearest] if nearest else []
    items += [f"{key}={text_of(values[key])}" for key in differing[nearest]]
    return f"{info.name}[{','.join(items)}]" if items else info.name


def _differing(base: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Parameters whose value is another one than the base's."""
    return [name for name in base if base[name] != values[name]]


def text_of(value: Any) -> str:
    """A value as it is written in a name."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _signature(info: WorkloadInfo) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(info.build, eval_str=True).parameters


def _preset(info: WorkloadInfo, name: str) -> Mapping[str, Any]:
    if name in info.presets:
        return info.presets[name]
    if name in _signature(info):
        raise UsageError(
            f"workload '{info.name}': parameter '{name}' has no value; write {name}=VALUE"
        )
    there = f"there are {', '.join(info.presets)}" if info.presets else "it has none"
    raise UsageError(
        f"workload '{info.name}' has no preset '{shortened(name)}'{near_miss(name, info.presets)} "
        f"({there})"
    )


def _value(info: WorkloadInfo, name: str, text: str) -> Any:
    parameters = _signature(info)
    if name not in parameters:
        there = f"there are {', '.join(parameters)}" if parameters else "it has none"
        raise UsageError(
            f"workload '{info.name}' has no parameter "
            f"'{shortened(name)}'{near_miss(name, parameters)} ({there})"
        )
    kind = parameters[name].annotation
    if kind is inspect.Parameter.empty:
        raise PluginError(
            f"workload '{info.name}': parameter '{name}' has no annotation; tell its author"
        )
    try:
        return TypeAdapter(kind, config=_FINITE).validate_strings(text)
    except ValidationError as error:
        # pydantic's sentence, in the words of our other errors.
        wanted = error.errors()[0]["msg"].replace("Input should be", "expected")
        near = near_miss(text, map(str, get_args(kind)))
        raise UsageError(
            f"workload '{info.name}': got {name}={shortened(text)}, {wanted}{near}"
        ) from None
