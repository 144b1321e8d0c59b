"""dnnbench list: what is installed, read from metadata alone."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from .options import Command, output_options
from .output import Output

if TYPE_CHECKING:
    from rich.table import Table

    from ..plugins.hooks import BackendInfo, WorkloadInfo


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
    document = LISTS[what]()
    if as_json:
        output.json(document)
    else:
        output.table(table_of(document[what]))
    for plugin, reason in document["broken_plugins"].items():
        output.note(f"plugin '{plugin}' of {reason}")


def backends() -> dict[str, Any]:
    """Every announced backend and whether it can run here; broken plugins by name, with why."""
    from ..plugins.discovery import plugins

    rows = [_backend(info) for info in plugins().backends.values()]
    return {"backends": rows, "broken_plugins": _broken()}


def workloads() -> dict[str, Any]:
    """Every announced workload with its parameters, and plugins that could not be used."""
    from ..plugins.discovery import plugins

    rows = [_workload(info) for info in plugins().workloads.values()]
    return {"workloads": rows, "broken_plugins": _broken()}


def devices() -> dict[str, Any]:
    """Every device of every installed backend, or why a backend could not be asked."""
    from ..execution.arms import select
    from ..execution.devices import list_devices

    rows: list[dict[str, Any]] = []
    for backend, devices_or_why in list_devices(select(["all"]).arms).items():
        if isinstance(devices_or_why, str):
            rows.append(_device(backend, None, devices_or_why, None))
        else:
            rows += [
                _device(backend, str(device), device.description, device.memory_bytes)
                for device in devices_or_why
            ]
    return {"devices": rows, "broken_plugins": _broken()}


def _device(
    backend: str, device: str | None, description: str, memory_bytes: int | None
) -> dict[str, Any]:
    return {
        "backend": backend,
        "device": device,
        "description": description,
        "memory_bytes": memory_bytes,
    }


LISTS = {"backends": backends, "workloads": workloads, "devices": devices}


def _backend(info: "BackendInfo") -> dict[str, Any]:
    from ..plugins.discovery import missing, version

    reason = missing(info)
    return {
        "name": info.name,
        "title": info.title,
        "version": version(info.requires[0]) if info.requires and reason is None else None,
        "modes": list(info.modes),
        "default_mode": info.default_mode,
        "status": reason or "installed",
        "installed": reason is None,
        "reference": info.reference,
    }


def _workload(info: "WorkloadInfo") -> dict[str, Any]:
    from ..plugins.parameters import defaults

    return {
        "name": info.name,
        "description": info.description,
        "parameters": defaults(info),
        "presets": {name: dict(values) for name, values in info.presets.items()},
        "default": info.default,
    }


def _broken() -> dict[str, str]:
    """What is wrong with plugins, by entry point.

    Asks for backends and workloads both, since either can be.
    """
    from ..plugins.discovery import plugins

    installed = plugins()
    _ = installed.backends, installed.workloads
    reasons_by_entry: dict[str, str] = {}
    for origin, reasons in installed.complaints().items():
        before = f"{reasons_by_entry[origin.entry]}; " if origin.entry in reasons_by_entry else ""
        reasons_by_entry[origin.entry] = f"{before}{origin.distribution}: {reasons}"
    return reasons_by_entry


def table_of(rows: list[dict[str, Any]]) -> "Table":
    """A rich table of what one of the lists gives."""
    from ..report.columns import column_table

    keys = [key for key in (rows[0] if rows else {}) if key not in UNSHOWN]
    table = column_table(*keys, leave_out=("presets", "description", "parameters", "modes"))
    for row in rows:
        table.add_row(*(_cell(row, key) for key in keys))
    return table


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
