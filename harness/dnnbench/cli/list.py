"""dnnbench list: what is installed, read from metadata alone."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from ..api.listing import backend_rows, broken_plugins, device_rows, workload_rows
from .options import Command, output_options
from .output import Output

if TYPE_CHECKING:
    from rich.table import Table


@click.command("list", cls=Command)
@click.argument("what", type=click.Choice(["backends", "workloads", "devices"]))
@output_options
@click.pass_obj
def command(output: Output, what: str, as_json: bool) -> None:
    """List backends, workloads or devices.

    `backends` tells the version of each framework, the modes, and what to install
    for those that cannot run. `workloads` tells the names that `show` and `run` take,
    each with its parameters: 'resnet50[tiny]', 'resnet50[tiny,batch=2]',
    'resnet50[image=64,width=0.25]' (in quotes where the shell has a meaning for brackets);
    a star marks what is measured when none is named. Neither imports a framework;
    `devices` asks every installed framework what it can compute on, which takes seconds.

    \b
    Examples:
      dnnbench list backends
      dnnbench list workloads --json
      dnnbench list devices
    """
    rows, broken = LISTS[what](), broken_plugins()
    if as_json:
        output.json({what: rows, "broken_plugins": broken})
    else:
        output.table(table_of(rows))
    for plugin, reason in broken.items():
        output.note(f"plugin '{plugin}' of {reason}")


def table_of(rows: list[dict[str, Any]]) -> "Table":
    """A rich table of what one of the lists gives."""
    from ..report.columns import column_table

    keys = [key for key in (rows[0] if rows else {}) if key not in UNSHOWN]
    table = column_table(*keys, leave_out=("presets", "description", "parameters", "modes"))
    for row in rows:
        table.add_row(*(_cell(row, key) for key in keys))
    return table


LISTS = {"backends": backend_rows, "workloads": workload_rows, "devices": device_rows}
UNSHOWN = ("default_mode", "installed", "reference", "default")
"""What only --json tells as it stands."""


def _cell(row: dict[str, Any], key: str) -> str:
    from ..plugins.parameters import text_of

    match key:
        case "modes":
            default = row["default_mode"]
            return ", ".join(
                f"{mode} (default)" if mode == default else mode for mode in row["modes"]
            )
        case "name" if row.get("default"):
            return f"{row['name']} *"
        case "parameters":
            return " ".join(f"{name}={text_of(value)}" for name, value in row[key].items())
        case "presets":
            return " ".join(row[key])
    return "-" if row[key] is None else str(row[key])
