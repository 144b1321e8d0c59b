"""dnnbench config: what is set for this folder, and where each value came from."""

import json
from typing import TYPE_CHECKING, Any

import rich_click as click

from .options import Command, output_options
from .output import Output
from .schema import DIALECT

if TYPE_CHECKING:
    from ..configuration.settings import Settings

DEFAULT = "default"


@click.command("config", cls=Command)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the file, for an editor.")
@output_options
@click.pass_obj
def command(output: Output, schema: bool, as_json: bool) -> None:
    """Print each value that is set for this folder, and where it came from.

    Settings stand in dnnbench.toml, or in [tool.dnnbench] of pyproject.toml, of this folder or the
    nearest one above it: defaults of run and gate, suites, environments, the store, the machine's
    name. An environment variable prevails over the file (DNNBENCH_STORE, DNNBENCH_GATE_FAIL_ON),
    an option of the command line over both.

    \b
    Examples:
      dnnbench config
      dnnbench config --json
      dnnbench config --schema > dnnbench.schema.json
    """
    from ..configuration.schema import schema_of_file
    from .configured import settings

    if schema:
        output.text(json.dumps({"$schema": DIALECT, **schema_of_file()}, indent=2))
        return
    set_here = settings()
    rows = _rows(set_here)
    if as_json:
        output.json(
            {
                "file": set_here.where or None,
                "settings": [
                    dict(zip(("key", "value", "origin"), row, strict=True)) for row in rows
                ],
            }
        )
    else:
        _print(output, set_here, rows)


def _rows(set_here: "Settings") -> list[tuple[str, Any, str]]:
    """(key, value, where it came from): what has a variable first, suites, environments."""
    from ..configuration.settings import settable_keys

    rows: list[tuple[str, Any, str]] = []
    for key in settable_keys():
        setting = set_here.values.get(key)
        rows.append((key, setting.value, setting.origin) if setting else (key, *_default(key)))
    tables = {"suites": set_here.suites, "environments": set_here.environments}
    for table, entries in tables.items():
        for name, entry in entries.items():
            values = entry.model_dump(by_alias=True, exclude_none=True)
            rows += [
                (f"{table}.{name}.{key}", value, set_here.where)
                for key, value in values.items()
                if value
            ]
    return rows


def _default(key: str) -> tuple[Any, str]:
    """Of the option that the key stands for; None where that depends on the machine or network."""
    from .main import command_of

    table, _, name = key.rpartition(".")
    if key == "machine":
        return None, DEFAULT
    options = command_of(table or "run").params
    option = next(each for each in options if f"--{name}" in each.opts)
    value = option.default
    if isinstance(value, tuple):
        return list(value) or None, DEFAULT
    return (value if isinstance(value, str | int | float) and value != "" else None), DEFAULT


def _print(output: Output, set_here: "Settings", rows: list[tuple[str, Any, str]]) -> None:
    from ..report.columns import column_table

    table = column_table("key", "value", "from")
    for key, value, origin in rows:
        table.add_row(key, _text(value), origin)
    output.table(table)
    if not set_here.where:
        output.note("no dnnbench.toml and no [tool.dnnbench] here; `dnnbench init` writes one")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
