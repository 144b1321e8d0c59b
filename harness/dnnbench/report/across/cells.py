"""The same cells side by side: examples a second of training and inference, then every phase."""

from collections.abc import Sequence

from ...spec.units import Unit
from ...wording import counted
from ..cells import arm_cell, estimate_cell
from ..evidence import HEADLINES
from ..pictures import MachinePoint, MachinesChart
from ..quantity import MISSING, interval, milliseconds, ratio, throughput
from ..section import Cell, Column, Section, Table, Tone, table
from ..timed_cells import TimedCell
from .compared import SideBySide
from .shared import Shared

MOST_COLUMNS = 4
"""Sides that stand beside each other; more stand below each other."""


def cells(compared: SideBySide) -> Section:
    """Training and inference in one table, the other phases folded."""
    purposes = [cell for cell in compared.cells if cell.same.phase in HEADLINES]
    others = [cell for cell in compared.cells if cell.same.phase not in HEADLINES]
    tables = [_rates(compared, purposes)] if purposes else []
    tables += [_times(compared, others)] if others else []
    return Section(
        id="across-cells",
        title="The same cells",
        sentences=(f"{counted(len(compared.cells), 'cell')} measured alike on several sides",),
        tables=tuple(tables),
        charts=_charts(compared),
        lead="What is worked through in a second, and how many times as fast as "
        f"{compared.names[0]}. These ratios carry no verdict; cells that something speaks against "
        "have no interval.",
        brief=f"a second; times as fast as {compared.names[0]}",
        data={"cells": [_data(compared, cell) for cell in compared.cells]},
    )


def _rates(compared: SideBySide, shared: Sequence[Shared]) -> Table:
    """Tokens, images or examples a second."""
    if len(compared.sides) > MOST_COLUMNS:
        return _below_each_other(compared, shared)
    names = compared.names
    columns = [
        *_where(),
        *(Column(f"{name}, a second", number=True) for name in names),
        *(Column(f"{name} / {names[0]}", number=True, spare_interval=2) for name in names[1:]),
    ]
    rows = [[*_named(cell), *_rates_of(cell), *_faster(cell)] for cell in shared]
    return table(columns, rows)


def _below_each_other(compared: SideBySide, shared: Sequence[Shared]) -> Table:
    """A row for each cell and side that has it."""
    columns = (
        *_where(once=True),
        Column(compared.by.value),
        Column("a second", number=True),
        Column(f"times as fast as {compared.names[0]}", number=True, spare_interval=2),
    )
    rows = []
    for cell in shared:
        for place, name in enumerate(compared.names):
            if cell.has(place):
                faster = estimate_cell(cell.faster[place], ratio) if place else Cell("base")
                rows.append([*_named(cell), Cell(name), _rates_of(cell)[place], faster])
    return table(columns, rows)


def _times(compared: SideBySide, shared: Sequence[Shared]) -> Table:
    """Milliseconds a call of the phases that nobody chooses a machine by."""
    names = compared.names
    columns = [
        *_where(),
        *(Column(f"{name}, ms", number=True) for name in names),
        *(Column(f"{name} / {names[0]}", number=True) for name in names[1:]),
    ]
    rows = [[*_named(cell), *map(_time, cell.cells), *_faster(cell)] for cell in shared]
    return table(columns, rows, title="Other phases, ms a call", folded=True)


def _where(once: bool = False) -> tuple[Column, ...]:
    return Column("workload", once=True), Column("phase", once=True), Column("arm", once=once)


def _named(cell: Shared) -> tuple[Cell, ...]:
    phase = HEADLINES.get(cell.same.phase, cell.same.phase)
    return Cell(str(cell.case)), Cell(phase), arm_cell(cell.same.label, cell.backend)


def _rates_of(cell: Shared) -> list[Cell]:
    """On each side."""
    return [_rate(timed, cell.unit) for timed in cell.cells]


def _rate(cell: TimedCell | None, unit: Unit) -> Cell:
    if cell is None:
        return Cell(MISSING)
    a_second = throughput(cell.batch_size * unit.each / cell.call_s)
    return Cell(f"{a_second} {unit.name}")


def _time(cell: TimedCell | None) -> Cell:
    if cell is None:
        return Cell(MISSING)
    return Cell(
        milliseconds(cell.call_s), interval(cell.call_s_low, cell.call_s_high, milliseconds)
    )


def _faster(cell: Shared) -> list[Cell]:
    return [
        Cell(MISSING, tone=Tone.QUIET) if one is None else estimate_cell(one, ratio)
        for one in cell.faster[1:]
    ]


def _data(compared: SideBySide, cell: Shared) -> dict[str, object]:
    same = cell.same
    return {
        "workload": same.workload,
        "batch_size": same.batch_size,
        "phase": same.phase,
        "arm": same.arm,
        "call_s": {n: c and c.call_s for n, c in zip(compared.names, cell.cells, strict=True)},
        "times_as_fast": {
            n: one and one.value for n, one in zip(compared.names, cell.faster, strict=True)
        },
    }


def _charts(compared: SideBySide) -> tuple[MachinesChart, ...]:
    """One for each case."""
    points: dict[str, list[MachinePoint]] = {}
    for cell in compared.cells:
        caption = f"{cell.same.workload}, batch {cell.same.batch_size}"
        points.setdefault(caption, []).extend(_points(compared, cell))
    sides = tuple(compared.names)
    return tuple(MachinesChart(caption, tuple(of), sides) for caption, of in points.items())


def _points(compared: SideBySide, cell: Shared) -> list[MachinePoint]:
    points = []
    for name, timed in zip(compared.names, cell.cells, strict=True):
        if timed is not None:
            sure = timed.call_s_low == timed.call_s_low
            bounds = (timed.call_s_low * 1e3, timed.call_s_high * 1e3) if sure else (None, None)
            ms = timed.call_s * 1e3
            arm = cell.same.label
            points.append(MachinePoint(cell.same.phase, arm, cell.backend, name, ms, *bounds))
    return points
