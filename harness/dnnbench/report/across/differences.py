"""What sides differ in besides time: versions, threads, flags, kernel, governor, hardware."""

from collections.abc import Mapping
from typing import Any

from ..section import Cell, Column, Section, Tone, table
from ..sections.environment import flat
from ..words import listed
from .by import By
from .compared import SideBySide
from .sides import Side

MOMENTARY = ("load 1min", "frequencies mhz")
"""Facts of the moment, which differ between any two runs."""
CHOSEN = ("generations", "max time s", "timing", "memory", "batch sizes")
"""Settings of a run that change what its figures mean."""
ABSENT = "absent"


def differences(compared: SideBySide) -> Section | None:
    """None where the sides differ in nothing that was recorded."""
    facts = {side.name: _facts(side) for side in compared.sides}
    names = dict.fromkeys(name for of_side in facts.values() for name in of_side)
    differing = [name for name in names if len({of.get(name) for of in facts.values()}) > 1]
    if not differing:
        return None
    columns = (Column("what", prose=True), *(Column(name, prose=True) for name in compared.names))
    rows = [[Cell(name), *(_cell(of, name) for of in facts.values())] for name in differing]
    return Section(
        id="across-environment",
        title="What else differs",
        tables=(table(columns, rows),),
        doubts=tuple(_warnings(compared)),
        lead="Facts that were recorded of every side and are not the same. A difference in time is "
        "of all of them together.",
        brief="versions, threads, flags, kernel, governor",
        data={"differences": {name: {s: facts[s].get(name) for s in facts} for name in differing}},
    )


def _cell(facts: Mapping[str, str], name: str) -> Cell:
    return Cell(facts[name]) if name in facts else Cell(ABSENT, tone=Tone.QUIET)


def version_warning(compared: SideBySide) -> str:
    """That machines, or types, were measured with other versions; empty where they were not."""
    if compared.by is By.VERSION:
        return ""
    versions = {side.name: _versions(side) for side in compared.sides}
    shared = set.intersection(*(set(of_side) for of_side in versions.values()))
    differing = sorted(
        name for name in shared if len({of_side[name] for of_side in versions.values()}) > 1
    )
    if not differing:
        return ""
    what = {By.MACHINE: "machine", By.DTYPE: "type"}[compared.by]
    return (
        f"Versions differ ({listed(differing)}): the ratios are of {what} and version together; "
        "measure with the same versions to tell them apart."
    )


def _warnings(compared: SideBySide) -> list[str]:
    warning = version_warning(compared)
    return [warning] if warning else []


def _versions(side: Side) -> dict[str, str]:
    run = side.newest.run
    return {name: str(version) for name, version in run.versions.items() if version}


def _facts(side: Side) -> dict[str, str]:
    """Of its newest run, as texts by their names."""
    run = side.newest
    cells = side.cells.values()
    used = {
        "threads": sorted({cell.key.arm.threads for cell in cells}),
        "device": sorted({cell.device for cell in cells}),
        "dtype": sorted({cell.dtype for cell in cells}),
        "python environment": sorted({cell.key.arm.environment or "own" for cell in cells}),
    }
    parts: dict[str, Any] = {
        "version of": {"dnnbench": run.run.dnnbench_version} | dict(run.run.versions),
        "used": used,
        "hardware": run.machine["facts"].get("hardware", {}),
        "system": run.system,
    }
    facts = {name: text for name, text in flat(parts) if not _momentary(name)}
    chosen = dict(flat(run.measured.settings.chosen))
    return facts | {f"setting {name}": chosen[name] for name in CHOSEN if name in chosen}


def _momentary(name: str) -> bool:
    return name.endswith(MOMENTARY)
