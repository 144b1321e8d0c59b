"""The settings of a project's file and of environment variables, as defaults of commands."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from .options import Decorated

if TYPE_CHECKING:
    from ..configuration.settings import Settings

HELP = ("--help", "-h")
META = "dnnbench.configuration"
"""The key of a context's `meta` that holds the settings."""
WANTED = ("--store", "--suite")
"""Options by which a command shows that settings concern it."""
SUITE_WORKLOADS = "dnnbench.suite_workloads"
"""The key of a context's `meta` that holds the workloads of the suite."""


def configure(ctx: click.Context, name: str, command: click.Command, rest: Sequence[str]) -> None:
    """Let what is set stand in the place of the defaults of `command`.

    No file is read for a command that is only asked for its help, nor for one that none of it
    concerns.
    """
    is_help = any(word in HELP for word in rest)
    if ctx.resilient_parsing or is_help or not (name == "envs" or _is_concerned(command)):
        return
    set_for = settings()
    ctx.meta[META] = set_for
    ctx.default_map = {name: _defaults(command, set_for.of_command(name))}


def _is_concerned(command: click.Command) -> bool:
    if isinstance(command, click.Group):
        return any(map(_is_concerned, command.commands.values()))
    return any(option in each.opts for each in command.params for option in WANTED)


def settings() -> "Settings":
    """Of the folder that dnnbench was started in, and of its environment."""
    from ..configuration.settings import settings_of

    return settings_of(Path.cwd(), os.environ)


def current() -> "Settings":
    """The settings that the running command was configured with."""
    from ..configuration.settings import Settings

    ctx = click.get_current_context(silent=True)
    configured = None if ctx is None else ctx.meta.get(META)
    return configured if isinstance(configured, Settings) else Settings()


def _defaults(command: click.Command, values: Mapping[str, Any]) -> dict[str, Any]:
    """By the name of each parameter; of a group, by the name of each of its commands."""
    if isinstance(command, click.Group):
        return {name: _defaults(each, values) for name, each in command.commands.items()}
    return {
        str(parameter.name): _several(value) if parameter.multiple else value
        for parameter in command.params
        if isinstance(parameter, click.Option) and (value := _value(parameter.opts, values))
    }


def _several(value: str | Mapping[str, str]) -> list[str]:
    """Of an option that may be given again: a table has an entry for each time."""
    if isinstance(value, Mapping):
        return [f"{pattern}={text}" for pattern, text in value.items()]
    return [value]


def _value(options: Iterable[str], values: Mapping[str, Any]) -> Any:
    names = [option.lstrip("-") for option in options]
    return next((values[name] for name in names if name in values), None)


def _of_suite(ctx: click.Context, _parameter: click.Parameter, name: str | None) -> None:
    """Defaults of the suite before those of the file."""
    if name is None or ctx.resilient_parsing:
        return
    suite = current().suite(name)
    values = suite.model_dump(by_alias=True, exclude_none=True)
    ctx.meta[SUITE_WORKLOADS] = tuple(values.pop("workloads"))
    ctx.default_map = dict(ctx.default_map or {}) | _defaults(ctx.command, values)


def _workloads(
    ctx: click.Context, _parameter: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Those of the command line, else those of the suite."""
    return names or ctx.meta.get(SUITE_WORKLOADS, ())


def suite_options(command: Decorated) -> Decorated:
    """--suite, and WORKLOADS that it fills."""
    from . import completing

    option = click.option(
        "--suite",
        metavar="NAME",
        is_eager=True,
        expose_value=False,
        callback=_of_suite,
        help="Workloads and options of a suite of dnnbench.toml; what stands on the command line "
        "prevails.",
    )
    argument = click.argument(
        "workloads", nargs=-1, shell_complete=completing.workloads, callback=_workloads
    )
    return argument(option(command))
