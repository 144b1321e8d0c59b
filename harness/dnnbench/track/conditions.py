"""What the times of a run hang on besides the code under test: what breaks a series, and what is
named beside a change point.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..execution.measured import Measured
from ..store.identity import canonical_json
from ..store.run_rows import CellRow
from .cells import setting
from .spread import ALIKE

SYSTEM = (
    "libc",
    "affinity",
    "smt_siblings",
    "cpu_quota",
    "governor",
    "boost",
    "aslr",
    "huge_pages",
    "flags",
)
"""Facts of the system that may move times and are known to stay within a run; load and clocks,
which never stay, are not among them.
"""
SETTINGS = ("generations", "max_time_s", "precision", "seed", "threads", "devices")
"""Settings of a run that may move its times a little."""
NONE = "none"


@dataclass(frozen=True)
class Conditions:
    """What must stay the same within a series, as names and values in their order."""

    values: tuple[tuple[str, str], ...]

    def changes_from(self, before: "Conditions") -> tuple[str, ...]:
        """As "torch 2.12.0 -> 2.13.0", one for each that is another."""
        return _changes(dict(before.values), dict(self.values))


@dataclass(frozen=True)
class Environment:
    """What else a run was measured under, as names and values."""

    values: tuple[tuple[str, str], ...]

    def changes_from(self, before: "Environment") -> tuple[str, ...]:
        """As `Conditions.changes_from`."""
        return _changes(dict(before.values), dict(self.values))


def conditions_of(run: Measured, cell: CellRow, with_base: bool) -> Conditions:
    """Specification, versions, kernel, control, and the settings that runs must share.

    Of an imported run the tool that recorded it stands in dnnbench's place.  with_base: whether the
    arm that is the base counts, too.
    """
    values = {
        "specification": cell.spec_hash[:12],
        **{name: str(number) for name, number in sorted(run.run.versions.items())},
        **_measured_by(run),
        "kernel": str(run.first_facts.system.get("kernel", "")),
        "control": _control(run),
        **{name: _spelt(setting(run, name)) for name in ALIKE},
    }
    if with_base:
        values["base"] = run.base or ""
    return Conditions(tuple(values.items()))


def _measured_by(run: Measured) -> dict[str, str]:
    """What measured the times, by name, with its version."""
    imported = run.settings.imported
    return {"tool": imported} if imported else {"dnnbench": run.run.dnnbench_version}


def environment_of(run: Measured) -> Environment:
    """What of the system and the settings is recorded, and breaks no series."""
    system = run.first_facts.system
    facts = {name.replace("_", " "): _spelt(system.get(name)) for name in SYSTEM if name in system}
    chosen = {name.replace("_", " "): _spelt(setting(run, name)) for name in SETTINGS}
    return Environment(tuple((facts | chosen).items()))


def _control(run: Measured) -> str:
    """The kernel that the control arm calls: the library of NumPy's products, and which of its
    kernels it chose.
    """
    libraries = run.first_facts.system.get("blas") or ()
    names = [
        f"{row.get('library')} {row.get('version')} {row.get('kernels')}"
        for row in libraries
        if isinstance(row, Mapping) and row.get("library") != "openmp"
    ]
    return ", ".join(sorted(set(names)))


def _spelt(value: Any) -> str:
    """A value of a store as a reader compares it."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    return canonical_json(value) if isinstance(value, Mapping) else json.dumps(value)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    names = dict.fromkeys([*before, *after])
    return tuple(
        f"{name} {before.get(name) or NONE} -> {after.get(name) or NONE}"
        for name in names
        if before.get(name) != after.get(name)
    )
