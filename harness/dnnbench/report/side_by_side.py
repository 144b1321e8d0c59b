"""The same cells on several machines; ratios between machines carry no verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import UsageError
from ..stats.apart import compare_apart
from ..stats.estimates import Estimate
from .evidence import Evidence, by_headline
from .timed_cells import TimedCell, timed_cells

Identity = tuple[str, str, int, str, str, str]
"""What two runs must have in common: workload, specification, batch size, phase, arm, element type.
"""


@dataclass(frozen=True)
class Shared:
    """A cell that two machines or more measured; by machine, None where one has no time for it."""

    workload: str
    batch_size: int
    phase: str
    arm: str
    backend: str
    times: tuple[Estimate | None, ...]
    ratios: tuple[Estimate | None, ...]
    """Seconds of a machine over the first one's that has a time."""


@dataclass(frozen=True)
class MachineComparison:
    """Machines by name, and their common cells in the order of the first run's plan."""

    machines: list[str]
    cells: list[Shared]


def side_by_side(runs: Sequence[Evidence]) -> MachineComparison:
    """Pair the cells of two runs or more; UsageError for fewer, or without a common cell."""
    if len(runs) < 2:
        raise UsageError(
            "report: --by machine needs runs of two machines or more; "
            "name more stores, or merge them"
        )
    by_identity: dict[Identity, dict[int, TimedCell]] = {}
    for place, run in enumerate(runs):
        for timed in timed_cells(run.cells):
            by_identity.setdefault(_identity(timed), {})[place] = timed
    shared = [_shared(runs, by_place) for by_place in by_identity.values() if len(by_place) > 1]
    if not shared:
        raise UsageError(
            "report: the runs have no cell in common "
            "(workload, specification, batch size, phase, arm)"
        )
    order = by_headline(cell.phase for cell in shared)
    cases = list(dict.fromkeys((cell.workload, cell.batch_size) for cell in shared))
    shared.sort(
        key=lambda cell: (cases.index((cell.workload, cell.batch_size)), order.index(cell.phase))
    )
    return MachineComparison(_names(runs), shared)


def _identity(cell: TimedCell) -> Identity:
    return cell.workload, cell.spec_hash, cell.batch_size, cell.phase, cell.arm, cell.dtype


def _shared(runs: Sequence[Evidence], by_place: dict[int, TimedCell]) -> Shared:
    """by_place: one cell as each run that has a time for it timed it, by the run's place."""
    first = min(by_place)
    cell = by_place[first]
    rows = {place: runs[place].measured.cell(timed.cell_id) for place, timed in by_place.items()}
    recorded = {place: runs[place].measured.recorded(row) for place, row in rows.items()}
    ratios = {
        place: compare_apart(recorded[first], recorded[place]).estimate
        for place in rows
        if place != first
    }
    doubted = {place for place, row in rows.items() if runs[place].measured.time_doubt(row)}
    for place in ratios:
        if doubted & {first, place}:
            ratios[place] = replace(ratios[place], low=math.nan, high=math.nan)
    places = range(len(runs))
    times = tuple(_time(by_place[place]) if place in by_place else None for place in places)
    return Shared(
        cell.workload,
        cell.batch_size,
        cell.phase,
        cell.arm,
        cell.backend,
        times,
        ratios=tuple(ratios.get(place) for place in places),
    )


def _time(cell: TimedCell) -> Estimate:
    return Estimate(cell.call_s, cell.call_s_low, cell.call_s_high, cell.generations)


def _names(runs: Sequence[Evidence]) -> list[str]:
    """Names of the machines, with the run where two would read alike."""
    plain = [run.machine_name for run in runs]
    return [
        name if plain.count(name) == 1 else f"{name} ({run.run.run_id})"
        for name, run in zip(plain, runs, strict=True)
    ]
