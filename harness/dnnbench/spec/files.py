"""Workloads as TOML or JSON: reading reports errors together, each with file,
key path and a near miss.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import SpecError
from ..regular import read_regular
from ..wording import shortened
from .explaining import Loc, explained, key_of, shown
from .model import MOST_NODES
from .workload import Workload

MOST_BYTES = 2**22
"""Of a workload file: thirty times the largest of the zoo."""
MOST_KEY_PARTS = 32
"""Of a dotted key: tomllib takes the square of their number in steps,
and the deepest of a workload has five.
"""


def read_workload(path: str | Path) -> Workload:
    """The workload in a .toml or .json file; SpecError holds its problems, a line each."""
    path = Path(path)
    return parse_workload(_parse(path), str(path))


def parse_workload(raw: Any, where: str) -> Workload:
    """The workload in nested dictionaries; `where` names their source in errors."""
    too_long = _too_long(raw)
    if too_long is not None:
        raise SpecError(
            f"{where}: {key_of(too_long)}: more than {MOST_NODES:,} entries, which is the limit"
        )
    try:
        return Workload.model_validate(raw)
    except ValidationError as error:
        raise SpecError(explained(error, where, Workload)) from None


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
            raise ValueError(f"the key {shown(key)} is given twice; give it once")
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


_KEY_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_KEY_PART}[ \t]*+\.[ \t]*+){{{MOST_KEY_PARTS}}}")
