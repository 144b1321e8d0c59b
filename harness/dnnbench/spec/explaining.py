"""What pydantic refuses, in words: each fault once, with file, key path and a near miss."""

import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ..wording import near_miss, shortened
from .model import MOST_PROBLEMS, GraphError

Loc = tuple[str | int, ...]
MOST_SHOWN = 60
"""Characters of a value or key in a message."""


def explained(error: ValidationError, where: str, root: type[BaseModel]) -> list[str]:
    """A line a fault: the file, the key path, what was got and what was wanted.

    root: the class that the whole of the file was held against.
    """
    lines = list(islice(_lines(error, where, root), MOST_PROBLEMS + 1))
    if len(lines) > MOST_PROBLEMS:
        lines[MOST_PROBLEMS:] = [
            f"{where}: there are more faults than these {MOST_PROBLEMS}; mend them first"
        ]
    return lines


def _lines(error: ValidationError, where: str, root: type[BaseModel]) -> Iterator[str]:
    for item in _primary(error.errors(include_url=False), root):
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, GraphError):
            for loc, text in cause.problems:
                yield f"{where}: {key_of((*item['loc'], *loc))}: {text}"
        else:
            yield f"{where}: {key_of(item['loc'])}: {_sentence(item, root)}"


def _primary(items: Sequence[Mapping[str, Any]], root: type[BaseModel]) -> list[Mapping[str, Any]]:
    """Each fault once: no list too short for its broken entries, one error for all
    branches of a union.
    """
    faults: dict[tuple[Loc, str], Mapping[str, Any]] = {}
    for item in items:
        if not _only_secondary(item):
            outside = _outside_union(item, root)
            faults.setdefault((outside["loc"], outside["type"]), outside)
    return list(faults.values())


def _only_secondary(item: Mapping[str, Any]) -> bool:
    return bool(item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"])


def _outside_union(item: Mapping[str, Any], root: type[BaseModel]) -> Mapping[str, Any]:
    """The error where its value stands; pydantic puts the type of each branch tried behind that."""
    loc = item["loc"]
    branches = [i for i, part in enumerate(loc) if str(part).startswith(("literal[", "tuple["))]
    outside = loc[: branches[0]] if branches else ()
    field = _fields_around(outside, root).get(str(outside[-1])) if outside else None
    return {**item, "loc": outside, "type": "no_branch"} if field and field.description else item


def key_of(loc: Loc) -> str:
    """model.nodes[2].op.units; the op's kind that pydantic adds behind `op` is left out."""
    text = ""
    for before, part in zip((None, *loc), loc, strict=False):
        if isinstance(part, int):
            text += f"[{part}]"
        elif before not in _TAGGED:
            text += f".{_plain(part)}" if text else _plain(part)
    return text or "(top level)"


def _plain(key: str) -> str:
    """The key as it is written, or quoted where it is long or cannot be printed."""
    return key if key.isprintable() and len(key) <= MOST_SHOWN else shown(key)


def _sentence(item: Mapping[str, Any], root: type[BaseModel]) -> str:
    got = shown(item["input"])
    context = item.get("ctx", {})
    match item["type"]:
        case "missing":
            what = "entry" if isinstance(item["loc"][-1], int) else "key"
            return f"missing; this {what} must be given"
        case "extra_forbidden":
            keys = sorted(_fields_around(item["loc"], root))
            listed = f" (known keys: {', '.join(keys)})" if keys else ""
            return f"unknown key{near_miss(str(item['loc'][-1]), keys)}{listed}"
        case "union_tag_invalid":
            kinds = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
            tag = context["tag"]
            return (
                f"got kind {shown(tag)}, expected one of {', '.join(kinds)}{near_miss(tag, kinds)}"
            )
        case "union_tag_not_found":
            return f"got {got}, expected a table with a 'kind'"
        case "string_pattern_mismatch":
            return (
                f"got {got}, expected a name of letters, digits, '_' and '.', "
                "not starting with a digit"
            )
        case "no_branch":
            wanted = _fields_around(item["loc"], root)[item["loc"][-1]].description
            return f"got {got}, expected {wanted}{_near_quoted(item['input'], wanted or '')}"
        case "literal_error":
            wanted = context["expected"]
            return f"got {got}, expected {wanted}{_near_quoted(item['input'], wanted)}"
        case "value_error" if str(context["error"]).startswith(("got ", "expected ")):
            said = str(context["error"])
            return said if said.startswith("got ") else f"got {got}, {said}"
    wanted = _WANTED.get(item["type"])
    return (
        f"got {got}, expected {wanted.format(**context)}" if wanted else f"got {got}: {item['msg']}"
    )


def _near_quoted(got: Any, wanted: str) -> str:
    return near_miss(got, re.findall(r"'(\w+)'", wanted)) if isinstance(got, str) else ""


def shown(value: Any) -> str:
    """A value or key as a message shows it."""
    try:
        text = _REPR.repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return shortened(text, MOST_SHOWN)


def _fields_around(loc: Loc, root: type[BaseModel]) -> dict[str, FieldInfo]:
    """Keys that the table around a key may hold, found by following the key path through
    the classes.
    """
    classes = [root]
    for part in loc[:-1]:
        steps = [_step(cls, part) for cls in classes]
        classes = list(chain.from_iterable(steps))
    fields: dict[str, FieldInfo] = {}
    for cls in classes:
        fields |= {field.alias or name: field for name, field in cls.model_fields.items()}
    return fields


def _step(cls: type[BaseModel], part: str | int) -> list[type[BaseModel]]:
    if isinstance(part, int):
        return [cls]
    by_key = {field.alias or name: field for name, field in cls.model_fields.items()}
    if part in by_key:
        return _classes_in(by_key[part].annotation)
    if getattr(cls, "named_by_user", False):  # one of a table of tables
        return [cls]
    kind = cls.model_fields.get("kind")
    return [cls] if kind is not None and kind.default == part else []


def _classes_in(annotation: Any) -> list[type[BaseModel]]:
    """Spec classes mentioned anywhere in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    classes: list[type[BaseModel]] = []
    for argument in getattr(annotation, "__args__", ()):
        classes += _classes_in(argument)
    return classes


_TAGGED = ("op", "loss", "optimizer", "data")
"""Keys whose table is chosen by its kind, which pydantic puts behind them in a key path."""
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxdict, _REPR.maxstring, _REPR.maxlong = 3, 3, MOST_SHOWN, MOST_SHOWN
_WHOLE, _NUMBER, _TABLE = "a whole number", "a number", "a table"
_WANTED = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a finite number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "string_too_long": "at most {max_length} characters",
    "tuple_type": "a list",
    "number_or_two": "a number above 0, or a list of two",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
}
