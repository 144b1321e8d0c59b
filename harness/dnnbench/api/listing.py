"""dnnbench.backends, workloads, devices: what is installed, read from metadata alone; devices are
asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ..plugins.hooks import BackendInfo, WorkloadInfo

Rows = list[dict[str, Any]]


def backends() -> "pd.DataFrame":
    """A row a backend: name, title, version, modes, and whether it is installed, else what to
    install.
    """
    return _frame(backend_rows())


def workloads() -> "pd.DataFrame":
    """A row a workload: the name that `run` takes, its parameters and presets, whether it is a
    default.
    """
    return _frame(workload_rows())


def devices() -> "pd.DataFrame":
    """A row a device of an installed backend, memory in bytes.

    Takes seconds, for each framework is asked.
    """
    return _frame(device_rows())


def _frame(rows: Rows) -> "pd.DataFrame":
    import pandas as pd

    from .progress import LOGGER

    for plugin, reason in broken_plugins().items():
        LOGGER.warning("plugin '%s' of %s", plugin, reason)
    return pd.DataFrame(rows)


def backend_rows() -> Rows:
    """Every announced backend and whether it can run here."""
    from ..plugins.discovery import plugins

    return [_backend(info) for info in plugins().backends.values()]


def workload_rows() -> Rows:
    """Every announced workload with its parameters."""
    from ..plugins.discovery import plugins

    return [_workload(info) for info in plugins().workloads.values()]


def device_rows() -> Rows:
    """Every device of every installed backend, or why a backend could not be asked."""
    from ..execution.arms import select
    from ..execution.devices import list_devices

    rows: Rows = []
    for backend, answer in list_devices(select(["all"]).arms).items():
        if isinstance(answer, str):
            rows.append(_device(backend, None, answer, None))
        else:
            rows += [_device(backend, str(d), d.description, d.memory_bytes) for d in answer]
    return rows


def broken_plugins() -> dict[str, str]:
    """What is wrong with plugins, by entry point.

    Asks for backends and workloads both, since either can be.
    """
    from ..plugins.discovery import plugins

    every_plugin = plugins()
    _ = every_plugin.backends, every_plugin.workloads
    reasons_by_entry: dict[str, str] = {}
    for origin, reasons in every_plugin.complaints().items():
        before = reasons_by_entry.get(origin.entry)
        start = f"{before}; " if before else ""
        reasons_by_entry[origin.entry] = f"{start}{origin.distribution}: {reasons}"
    return reasons_by_entry


def _device(
    backend: str, device: str | None, description: str, memory_bytes: int | None
) -> dict[str, Any]:
    return {
        "backend": backend,
        "device": device,
        "description": description,
        "memory_bytes": memory_bytes,
    }


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
