"""The file that a project's settings stand in: found from a folder upwards, read, checked."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..regular import read_regular
from ..wording import shortened

if TYPE_CHECKING:
    from .model import Configuration

OWN, PROJECT = "dnnbench.toml", "pyproject.toml"
TABLE = "tool.dnnbench"
MOST_BYTES = 2**20
"""Of either file."""


@dataclass(frozen=True)
class Source:
    """A file with settings, and the table of it that they stand in; empty for the whole file."""

    path: Path
    table: str = ""

    @property
    def where(self) -> str:
        """For a message: `dnnbench.toml`, `pyproject.toml [tool.dnnbench]`."""
        return f"{self.path} [{self.table}]" if self.table else str(self.path)


def find_source(folder: Path) -> Source | None:
    """The nearest file with settings, in `folder` or above it; dnnbench.toml before pyproject.toml.

    A pyproject.toml without the table ends the search: it is the root of a project.
    """
    for place in (folder, *folder.parents):
        if (place / OWN).is_file():
            return Source(place / OWN)
        if (place / PROJECT).is_file():
            return Source(place / PROJECT, TABLE) if _tables(place / PROJECT) else None
    return None


def read_configuration(source: Source) -> "Configuration":
    """What the file sets; UsageError holds its faults, a line each."""
    from pydantic import ValidationError

    from ..spec.explaining import explained
    from .model import Configuration

    raw = _tables(source.path) if source.table else _toml(source.path)
    try:
        return Configuration.model_validate(raw)
    except ValidationError as error:
        raise UsageError("\n".join(explained(error, source.where, Configuration))) from None


def _tables(path: Path) -> dict[str, Any]:
    """[tool.dnnbench] of a pyproject.toml; empty where it has none."""
    tool = _toml(path).get("tool", {})
    own = tool.get("dnnbench", {}) if isinstance(tool, dict) else {}
    return own if isinstance(own, dict) else {"dnnbench": own}


def _toml(path: Path) -> dict[str, Any]:
    try:
        text = read_regular(path, MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {reason}") from None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not TOML: {shortened(str(error))}") from None
