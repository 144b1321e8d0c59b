"""Workloads as TOML or JSON: reading tells every error at once, with file, key path and a near miss."""

import json
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import SpecError
from .model import GraphError
from .ops import OPS
from .soundness import near_miss
from .workload import Workload


def read_workload(path: str | Path) -> Workload:
    """The workload in a .toml or .json file; SpecError holds every problem, a line each."""
    path = Path(path)
    return parse_workload(_parse(path), str(path))


def parse_workload(raw: Any, where: str) -> Workload:
    """The workload in nested dictionaries; `where` names their source in errors."""
    try:
        return Workload.model_validate(raw)
    except ValidationError as error:
        raise SpecError(_explain(error, raw, where)) from None


def write_workload(workload: Workload) -> str:
    """The workload as JSON text that `read_workload` gives back unchanged."""
    return workload.model_dump_json(indent=2)


def _parse(path: Path) -> Any:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SpecError(f"{path}: cannot be read: {reason}; give a .toml or .json workload file") from None
    try:
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        language = "JSON" if path.suffix == ".json" else "TOML"
        raise SpecError(f"{path}: not {language}: {error}") from None
    except RecursionError:
        raise SpecError(f"{path}: nested too deeply to be a workload") from None


def _explain(error: ValidationError, raw: Any, where: str) -> list[str]:
    lines = []
    for item in error.errors():
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, GraphError):
            lines += [f"{where}: {_key((*item['loc'], *loc))}: {text}" for loc, text in cause.problems]
        else:
            lines.append(f"{where}: {_key(item['loc'])}: {_sentence(item, error.title, raw)}")
    return lines


def _key(loc: tuple[str | int, ...]) -> str:
    """model.nodes[2].op.units; the op's kind that pydantic adds behind `op` is left out."""
    text = ""
    for i, part in enumerate(loc):
        if isinstance(part, int):
            text += f"[{part}]"
        elif not (part in _KINDS and i and loc[i - 1] in _TAGGED):
            text += f".{part}" if text else part
    return text or "(top level)"


def _sentence(item: dict[str, Any], title: str, raw: Any) -> str:
    got = _short(item["input"])
    match item["type"]:
        case "missing":
            return "missing; this key must be given"
        case "extra_forbidden":
            known = _fields_at(item["loc"])
            listed = f" (known keys: {', '.join(known)})" if known else ""
            return f"unknown key{near_miss(str(item['loc'][-1]), known)}{listed}"
        case "union_tag_invalid":
            known = [tag.strip(" '") for tag in item["ctx"]["expected_tags"].split(",")]
            tag = item["ctx"]["tag"]
            return f"got kind '{tag}', expected one of {', '.join(known)}{near_miss(tag, known)}"
        case "union_tag_not_found":
            return f"got {got}, expected a table with a 'kind'"
        case "string_pattern_mismatch":
            return f"got {got}, expected a name of letters, digits, '_' and '.', not starting with a digit"
    return f"got {got}, expected: {item['msg']}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _fields_at(loc: tuple[str | int, ...]) -> list[str]:
    """Keys that the table around an unknown key may hold, found by following the key path through the classes."""
    classes: list[type] = [Workload]
    for part in loc[:-1]:
        classes = [c for cls in classes for c in _step(cls, part)]
    return sorted({name for cls in classes for name in cls.model_fields})


def _step(cls: type, part: str | int) -> list[type]:
    if isinstance(part, int):
        return [cls]
    if part in cls.model_fields:
        return _classes_in(cls.model_fields[part].annotation)
    kind = cls.model_fields.get("kind")
    return [cls] if kind is not None and kind.default == part else []


def _classes_in(annotation: Any) -> list[type]:
    """Spec classes mentioned anywhere in a type."""
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return [annotation]
    found = []
    for argument in getattr(annotation, "__args__", ()):
        found += _classes_in(argument)
    return found


_TAGGED = {"op", "loss", "optimizer", "data"}
_KINDS = {*OPS, "cross_entropy", "mse", "sgd", "momentum", "adam", "digits", "npz", "idx", "synthetic"}
