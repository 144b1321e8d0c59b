"""The text of a call, which a run is stored with as its command."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

from ..spec.model import Model
from ..spec.workload import Workload
from ..wording import shortened

UNTOLD = ("progress",)
"""Arguments that change nothing of what is measured."""
MOST_CHARACTERS = 500


def call_text(function: Callable[..., Any], values: Mapping[str, Any]) -> str:
    """`dnnbench.run(['mlp_digits'], backend='torch')`: the arguments that are not the defaults.

    values: of every argument, by name.  A workload or model is written by its name.
    """
    parameters, parts = signature(function).parameters, []
    for name in changed(function, values):
        if name not in UNTOLD:
            by_name = parameters[name].kind == Parameter.KEYWORD_ONLY
            parts.append(f"{name}=" * by_name + _text(values[name]))
    return f"dnnbench.{function.__name__}({', '.join(parts)})"


def changed(function: Callable[..., Any], values: Mapping[str, Any]) -> list[str]:
    """Arguments that are not the defaults."""
    parameters = signature(function).parameters.items()
    return [name for name, p in parameters if not _same(values[name], p.default)]


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _text(value: Any) -> str:
    if isinstance(value, Workload | Model):
        return f"<{type(value).__name__} {value.name}>"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if callable(value):
        return f"<function {getattr(value, '__name__', type(value).__name__)}>"
    return shortened(repr(value), MOST_CHARACTERS)
