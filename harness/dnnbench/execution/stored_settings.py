"""What a store keeps of what a run was asked and decided, as any version wrote it:
read here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..protocol.arm import Arm
from ..spec.units import Unit, unit_of
from ..stats.dead_zone import THETA

VERSION = 3
"""Of what `Request.to_json` writes.

1 bore no number.  Until 2 a run had one element type, one number of threads and one device.
"""
_LISTS = {"dtype": "dtypes", "threads": "threads", "device": "devices"}
"""Where version 3 keeps a list of what earlier ones kept a single value of."""
_GONE = ("matched",)
"""Fields that an earlier dnnbench stored and that decide nothing any more."""


@dataclass(frozen=True)
class RunSettings:
    """Of a recorded run; what an older dnnbench did not store is empty or None."""

    base: str | None = None
    """The arm that ratios refer to, by name."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Why a backend was left out."""
    notes: tuple[str, ...] = ()
    tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The task of each workload, by its name."""
    units: Mapping[str, Unit] = field(default_factory=dict)
    """What each workload works through, by its name."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Paths of weights and data where the user named them."""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the builder of each workload was called with, by its name; empty of one from a file."""
    arms: Mapping[str, Arm] = field(default_factory=dict)
    """Those of the plan by name, which a run that trains has no cells to tell of."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """Every field of `Settings` that was stored, with its value."""
    imported: str = ""
    """The tool that recorded the run, with its version; empty of a run of dnnbench's own."""

    @property
    def theta(self) -> float:
        """The dead zone of verdicts, a share."""
        return float(self.chosen.get("theta", THETA))

    def planned_generations(self, measured: int) -> int | None:
        """How many were asked for.

        None where their noise decided, and `measured` where nothing was stored.
        """
        planned: int | None = self.chosen.get("generations", measured)
        return planned


def in_lists(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Settings` as version 3 names them, whichever wrote them."""
    fields = {name: value for name, value in stored.items() if name not in _GONE}
    for single, several in _LISTS.items():
        if single in fields:
            value = fields.pop(single)
            fields[several] = value if isinstance(value, list | tuple) else [value]
    return fields


def run_settings(stored: Mapping[str, Any]) -> RunSettings:
    """From the column `settings` of a run."""
    return RunSettings(
        base=stored.get("base"),
        skipped=stored.get("skipped", {}),
        notes=tuple(stored.get("notes", ())),
        tasks={workload["name"]: workload["task"] for workload in stored.get("workloads", ())},
        units={workload["name"]: unit_of(workload) for workload in stored.get("workloads", ())},
        files={name: stored[name] for name in ("weights", "data") if stored.get(name)},
        parameters=stored.get("parameters", {}),
        arms={
            name: Arm.from_json(arm).named_as(name) for name, arm in stored.get("arms", {}).items()
        },
        chosen=in_lists(stored.get("settings", {})),
        imported=_tool(stored.get("imported", {})),
    )


def _tool(imported: Mapping[str, Any]) -> str:
    return f"{imported.get('tool', '')} {imported.get('version', '')}".strip()
