"""Workloads as TOML or JSON: reading reports errors together, each with file,
key path and a near miss.
"""

import json
import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from ..errors import SpecError
from ..regular import read_regular
from ..wording import near_miss, shortened
from .model import MOST_NODES, MOST_PROBLEMS, GraphError
from .workload import Workload

Loc = tuple[str | int, ...]
MOST_BYTES = 2**22
"""Of a workload file: thirty times the largest of the zoo."""
MOST_KEY_PARTS = 32
"""Of a dotted key: tomllib takes the square of their number in steps,
and the deepest of a workload has five.
"""
MOST_SHOWN = 60
"""Characters of a value or key in a message."""


def read_workload(path: str | Path) -> Workload:
    """The workload in a .toml or .json file; SpecError holds its problems, a line each."""
    path = Path(path)
    return parse_workload(_parse(path), str(path))


def parse_workload(raw: Any, where: str) -> Workload:
    """The workload in nested dictionaries; `where` names their source in errors."""
    too_long = _too_long(raw)
    if too_long is not None:
        raise SpecError(
            f"{where}: {_key(too_long)}: more than {MOST_NODES:,} entries, which is the limit"
        )
    try:
        return Workload.model_validate(raw)
    except ValidationError as error:
        raise SpecError(_explain(error, where)) from None


def write_workload(workload: Workload) -> str:
    """The workload as JSON text that `read_workload` gives back unchanged."""
    return workload.model_dump_json(indent=2)


def _parse(path: Path) -> Any:
    language, loads = (
        ("JSON", _load_json) if path.suffix.lower() == ".json" else ("TOML", _load_toml)
    )
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        where = shortened(str(path), 1000)
        raise SpecError(
            f"{where}: cannot be read: {reason}; give a .toml or .json workload file"
        ) from None
    try:
        return loads(text)
    except ValueError as error:
        raise SpecError(f"{path}: not {language}: {shortened(str(error))}") from None
    except RecursionError:
        raise SpecError(f"{path}: nested too deeply to be a workload") from None


def _load_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_table)


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table without a second value for a key, which JSON's own reader would take in the place
    of the first.
    """
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"the key {_short(key)} is given twice; give it once")
        table[key] = value
    return table


def _load_toml(text: str) -> Any:
    if long_key := _LONG_KEY.search(text):
        line = text.count("\n", 0, long_key.start()) + 1
        raise ValueError(
            f"a key of more than {MOST_KEY_PARTS} parts (at line {line}), which is the limit"
        )
    return tomllib.loads(text)


def _too_long(raw: Any) -> Loc | None:
    """Where a list or table has more entries than any of a workload may have:
    looked for before pydantic reads each.
    """
    left: list[tuple[Loc, Any]] = [((), raw)]
    while left:
        loc, value = left.pop()
        if isinstance(value, dict | list):
            if len(value) > MOST_NODES:
                return loc
            items = value.items() if isinstance(value, dict) else enumerate(value)
            left += [((*loc, key), inner) for key, inner in items if isinstance(inner, dict | list)]
    return None


def _explain(error: ValidationError, where: str) -> list[str]:
    lines = list(islice(_lines(error, where), MOST_PROBLEMS + 1))
    if len(lines) > MOST_PROBLEMS:
        lines[MOST_PROBLEMS:] = [
            f"{where}: there are more faults than these {MOST_PROBLEMS}; mend them first"
        ]
    return lines


def _lines(error: ValidationError, where: str) -> Iterator[str]:
    for item in _primary(error.errors(include_url=False)):
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, GraphError):
            for loc, text in cause.problems:
                yield f"{where}: {_key((*item['loc'], *loc))}: {text}"
        else:
            yield f"{where}: {_key(item['loc'])}: {_sentence(item)}"


def _primary(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each fault once: no list too short for its broken entries, one error for all
    branches of a union.
    """
    faults: dict[tuple[Loc, str], Mapping[str, Any]] = {}
    for item in items:
        if not _only_secondary(item):
            outside = _outside_union(item)
            faults.setdefault((outside["loc"], outside["type"]), outside)
    return list(faults.values())


def _only_secondary(item: Mapping[str, Any]) -> bool:
    return bool(item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"])


def _outside_union(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error where its value stands; pydantic puts the type of each branch tried behind that."""
    loc = item["loc"]
    branches = [i for i, part in enumerate(loc) if str(part).startswith(("literal[", "tuple["))]
    outside = loc[: branches[0]] if branches else ()
    field = _fields_around(outside).get(outside[-1]) if outside else None
    return {**item, "loc": outside, "type": "no_branch"} if field and field.description else item


def _key(loc: Loc) -> str:
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
    return key if key.isprintable() and len(key) <= MOST_SHOWN else _short(key)


def _sentence(item: Mapping[str, Any]) -> str:
    got = _short(item["input"])
    context = item.get("ctx", {})
    match item["type"]:
        case "missing":
            what = "entry" if isinstance(item["loc"][-1], int) else "key"
            return f"missing; this {what} must be given"
        case "extra_forbidden":
            keys = sorted(_fields_around(item["loc"]))
            listed = f" (known keys: {', '.join(keys)})" if keys else ""
            return f"unknown key{near_miss(str(item['loc'][-1]), keys)}{listed}"
        case "union_tag_invalid":
            kinds = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
            tag = context["tag"]
            return (
                f"got kind {_short(tag)}, expected one of {', '.join(kinds)}{near_miss(tag, kinds)}"
            )
        case "union_tag_not_found":
            return f"got {got}, expected a table with a 'kind'"
        case "string_pattern_mismatch":
            return (
                f"got {got}, expected a name of letters, digits, '_' and '.', "
                "not starting with a digit"
            )
        case "no_branch":
            wanted = _fields_around(item["loc"])[item["loc"][-1]].description
            return f"got {got}, expected {wanted}{_near_quoted(item['input'], wanted or '')}"
        case "literal_error":
            wanted = context["expected"]
            return f"got {got}, expected {wanted}{_near_quoted(item['input'], wanted)}"
    wanted = _WANTED.get(item["type"])
    return (
        f"got {got}, expected {wanted.format(**context)}" if wanted else f"got {got}: {item['msg']}"
    )


def _near_quoted(got: Any, wanted: str) -> str:
    return near_miss(got, re.findall(r"'(\w+)'", wanted)) if isinstance(got, str) else ""


def _short(value: Any) -> str:
    try:
        text = _REPR.repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return shortened(text, MOST_SHOWN)


def _fields_around(loc: Loc) -> dict[str, FieldInfo]:
    """Keys that the table around a key may hold, found by following the key path through
    the classes.
    """
    classes: list[type[BaseModel]] = [Workload]
    for part in loc[:-1]:
        steps = [_step(cls, part) for cls in classes]
        classes = list(chain.from_iterable(steps))
    fields: dict[str, FieldInfo] = {}
    for cls in classes:
        fields |= cls.model_fields
    return fields


def _step(cls: type[BaseModel], part: str | int) -> list[type[BaseModel]]:
    if isinstance(part, int):
        return [cls]
    if part in cls.model_fields:
        return _classes_in(cls.model_fields[part].annotation)
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
_KEY_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_KEY_PART}[ \t]*+\.[ \t]*+){{{MOST_KEY_PARTS}}}")
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
