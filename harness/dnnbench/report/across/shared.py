"""Cells that two sides or more have, and how much faster each side is than the first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...errors import UsageError
from ...protocol.keys import CaseKey
from ...spec.units import Unit
from ...stats.apart import Recorded, log_times_by_generation, welch_ratio
from ...stats.estimates import (
    Estimate,
    exp_interval,
    log_pairs,
    mean_interval,
)
from ...stats.geometric import effects_by_generation
from ..evidence import Evidence, by_headline
from ..timed_cells import TimedCell
from .by import By
from .sides import Same, Side


@dataclass(frozen=True)
class Logs:
    """Of one cell by generation: log ratios of first side to other, paired in rounds; or of both
    sides log seconds, measured apart.
    """

    paired: Mapping[int, float] | None
    first: Mapping[int, float]
    other: Mapping[int, float]

    @property
    def estimate(self) -> Estimate:
        """Seconds on the first side over seconds on the other."""
        if self.paired is None:
            return welch_ratio(list(self.other.values()), list(self.first.values()))
        return exp_interval(*mean_interval(list(self.paired.values())), len(self.paired))


@dataclass(frozen=True)
class Shared:
    """A cell of two sides or more; by side, None where one has no time for it.

    faster: the first side's seconds over this one's; None for the first.  doubts: what speaks
    against a time, empty where nothing does.  unit: what its workload works through.
    """

    same: Same
    backend: str
    cells: tuple[TimedCell | None, ...]
    faster: tuple[Estimate | None, ...]
    doubts: tuple[str, ...]
    unit: Unit

    def has(self, *places: int) -> bool:
        """Whether each of these sides has a time for it."""
        return all(self.cells[place] is not None for place in places)

    @property
    def case(self) -> CaseKey:
        return CaseKey(self.same.workload, self.same.batch_size)


def shared_cells(sides: Sequence[Side], by: By) -> list[Shared]:
    """In the order of the plans, a training step and inference first; UsageError without one."""
    everywhere = dict.fromkeys(same for side in sides for same in side.cells)
    several = [same for same in everywhere if sum(same in side.cells for side in sides) > 1]
    if not several:
        raise UsageError(
            f"report: --by {by}: the runs have no cell in common "
            "(workload, specification, batch size, phase, arm)"
        )
    order = by_headline(same.phase for same in several)
    cases = list(dict.fromkeys((same.workload, same.batch_size) for same in several))
    several.sort(
        key=lambda same: (cases.index((same.workload, same.batch_size)), order.index(same.phase))
    )
    return [_shared(sides, by, same) for same in several]


def _shared(sides: Sequence[Side], by: By, same: Same) -> Shared:
    cells = tuple(side.cells.get(same) for side in sides)
    doubts = tuple(
        "" if cell is None else side.newest.doubt_of(cell.cell_id)
        for side, cell in zip(sides, cells, strict=True)
    )
    first = cells[0]
    faster: list[Estimate | None] = [None]
    for side, cell, doubt in zip(sides[1:], cells[1:], doubts[1:], strict=True):
        if first is None or cell is None:
            faster.append(None)
            continue
        estimate = logs_of(sides[0].newest, first, side.newest, cell, by).estimate
        sure = not (doubts[0] or doubt)
        faster.append(estimate if sure else replace(estimate, low=math.nan, high=math.nan))
    backend = next(cell.backend for cell in cells if cell is not None)
    first_run = next(s.newest for s, c in zip(sides, cells, strict=True) if c is not None)
    unit = first_run.unit_of(same.workload)
    return Shared(same, backend, cells, tuple(faster), doubts, unit)


def logs_of(
    first: Evidence, cell: TimedCell, other: Evidence, counterpart: TimedCell, by: By
) -> Logs:
    """What the statistics of many cells are taken from.

    Versions and types on one machine are compared in units of the control arm, as `dnnbench
    compare` does; between machines the control would measure the machines' NumPy instead.
    """
    one, two = _recorded(first, cell), _recorded(other, counterpart)
    if first.run.run_id == other.run.run_id:
        paired = effects_by_generation(log_pairs(one.visits, two.visits, one.dropped))
        if paired:
            return Logs(paired, {}, {})
    normal = by is not By.MACHINE and one.machine_id == two.machine_id
    normal = normal and one.control is not None and two.control is not None
    return Logs(None, log_times_by_generation(one, normal), log_times_by_generation(two, normal))


def _recorded(run: Evidence, cell: TimedCell) -> Recorded:
    return run.measured.recorded(run.measured.cell(cell.cell_id))
