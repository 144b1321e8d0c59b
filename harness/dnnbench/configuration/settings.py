"""Each value that is set for dnnbench, and where it came from: a file, an environment variable.

An environment variable has the place of a key: DNNBENCH_STORE, DNNBENCH_GATE_FAIL_ON. It prevails
over the file, and a flag of the command line over both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..wording import near_miss
from .reading import find_source, read_configuration

if TYPE_CHECKING:
    from .model import Configuration, Suite

PREFIX = "DNNBENCH_"
TABLES = ("run", "gate")
"""Tables of options of a command, whose keys have environment variables."""
FILE_ONLY = ("gate.threshold",)
"""Keys that hold a table, which a variable cannot."""
SINGLE = ("store", "machine")
"""Keys of the file itself that have one."""


@dataclass(frozen=True)
class Setting:
    """One value; `key` is its path in the file."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True)
class Settings:
    """All that is set, each key once."""

    values: Mapping[str, Setting] = field(default_factory=dict)
    suites: "Mapping[str, Suite]" = field(default_factory=dict)
    environments: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    """The file; empty where there is none."""

    def value(self, key: str) -> Any:
        """None where it is not set."""
        setting = self.values.get(key)
        return None if setting is None else setting.value

    def of_command(self, name: str) -> dict[str, Any]:
        """Values for the options of a command, by the option's name without dashes."""
        own = {
            key.removeprefix(f"{name}."): setting.value
            for key, setting in self.values.items()
            if key.startswith(f"{name}.")
        }
        store = {} if self.value("store") is None else {"store": self.value("store")}
        return store | own

    def suite(self, name: str) -> "Suite":
        """UsageError for a name that no suite has."""
        if name not in self.suites:
            place = self.where or "no dnnbench.toml and no [tool.dnnbench] of a pyproject.toml here"
            hint = near_miss(name, self.suites) or f"; there are {', '.join(self.suites) or 'none'}"
            raise UsageError(f"--suite {name}: {place} has no suite of that name{hint}")
        return self.suites[name]


def settings_of(folder: Path, environ: Mapping[str, str]) -> Settings:
    """What is set for commands that work in `folder`.

    UsageError where the file, or a variable, holds something that cannot be meant.
    """
    source = find_source(folder)
    from_variables = dict(_from_variables(environ)) if _variables(environ) else {}
    if source is None:
        return Settings(from_variables)
    configuration = read_configuration(source)
    from_file = {s.key: s for s in _leaves(configuration, source.where)}
    return Settings(
        from_file | from_variables,
        configuration.suites,
        configuration.environments,
        source.where,
    )


def variable_of(key: str) -> str:
    """`DNNBENCH_GATE_FAIL_ON` for `gate.fail-on`."""
    return PREFIX + key.replace(".", "_").replace("-", "_").upper()


def _variables(environ: Mapping[str, str]) -> bool:
    """Whether any variable may be one of a key; without importing what knows the keys."""
    heads = tuple(variable_of(name) for name in (*SINGLE, *TABLES))
    return any(name.startswith(heads) for name in environ)


def _from_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, Setting]]:
    from pydantic import ValidationError

    from ..spec.explaining import explained
    from .model import Configuration

    for key in settable_keys():
        if key in FILE_ONLY:
            continue
        text, origin = environ.get(variable_of(key)), f"environment variable {variable_of(key)}"
        if text is None:
            continue
        table, _, name = key.rpartition(".")
        try:
            read = Configuration.model_validate({table: {name: text}} if table else {name: text})
        except ValidationError as error:
            raise UsageError("\n".join(explained(error, origin, Configuration))) from None
        for setting in _leaves(read, origin):
            yield setting.key, setting


def settable_keys() -> list[str]:
    """Every key but those of suites and environments, in the order of the file."""
    from .model import Configuration

    keys = list(SINGLE)
    for table in TABLES:
        annotation = Configuration.model_fields[table].annotation
        assert annotation is not None
        keys += [f"{table}.{field.alias}" for field in annotation.model_fields.values()]
    return keys


def _leaves(configuration: "Configuration", origin: str) -> Iterator[Setting]:
    for name in SINGLE:
        if (value := getattr(configuration, name)) is not None:
            yield Setting(name, value, origin)
    for table in TABLES:
        values = getattr(configuration, table).model_dump(by_alias=True, exclude_none=True)
        for name, value in values.items():
            yield Setting(f"{table}.{name}", value, origin)
