"""Machines side by side: the same cells of several runs, as a section."""

from collections.abc import Sequence

from .cells import arm_cell, estimate_cell
from .evidence import Evidence
from .pictures import MachinePoint, MachinesChart
from .quantity import milliseconds, ratio
from .section import Cell, Column, Section, table
from .side_by_side import MachineComparison, Shared, side_by_side

LEAD = "Ratios between machines carry no verdict: nothing but the cells is the same on both sides."


def machines_section(runs: Sequence[Evidence]) -> Section:
    """The cells that two runs or more share; UsageError where they share none."""
    comparison = side_by_side(runs)
    first, *others = comparison.machines
    columns = (
        Column("workload", once=True),
        Column("phase", once=True),
        Column("arm"),
        *(Column(f"{machine}, ms", number=True) for machine in comparison.machines),
        *(Column(f"{machine} / {first}", number=True) for machine in others),
    )
    count = len(comparison.cells)
    return Section(
        id="machines",
        title="Machines side by side",
        sentences=(f"{count} cells are the same on {', '.join(comparison.machines)}",),
        tables=(table(columns, [_row(cell) for cell in comparison.cells]),),
        charts=_charts(comparison),
        lead=LEAD,
        brief="the same cells; ratios without a verdict",
    )


def _row(cell: Shared) -> tuple[Cell, ...]:
    return (
        Cell(f"{cell.workload}/{cell.batch_size}"),
        Cell(cell.phase),
        arm_cell(cell.arm, cell.backend),
        *(estimate_cell(time, milliseconds) for time in cell.times),
        *(estimate_cell(over_first, ratio) for over_first in cell.ratios[1:]),
    )


def _charts(comparison: MachineComparison) -> tuple[MachinesChart, ...]:
    """One for each case."""
    points: dict[str, list[MachinePoint]] = {}
    for cell in comparison.cells:
        caption = f"{cell.workload}, batch {cell.batch_size}"
        points.setdefault(caption, []).extend(_points(comparison, cell))
    machines = tuple(comparison.machines)
    return tuple(
        MachinesChart(caption, tuple(of_case), machines) for caption, of_case in points.items()
    )


def _points(comparison: MachineComparison, cell: Shared) -> list[MachinePoint]:
    points = []
    for machine, time in zip(comparison.machines, cell.times, strict=True):
        if time is not None:
            sure = time.low == time.low
            bounds = (time.low * 1e3, time.high * 1e3) if sure else (None, None)
            ms = time.value * 1e3
            points.append(MachinePoint(cell.phase, cell.arm, cell.backend, machine, ms, *bounds))
    return points
