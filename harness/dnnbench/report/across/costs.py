"""What examples cost: money, where the user says what an hour of a side costs, and energy, where a
counter counted it.
"""

from collections.abc import Sequence
from typing import Any

from ...worker.services.timing import Energy as CountedEnergy
from ..cells import arm_cell
from ..evidence import HEADLINES
from ..quantity import MISSING, digits, factor, scaled
from ..section import Cell, Column, Section, Table, table
from ..timed_cells import TimedCell
from .compared import SideBySide
from .shared import Shared
from .sides import Side

HOUR_S = 3600


def costs(compared: SideBySide) -> Section | None:
    """None without a price and without a counter of energy."""
    purposes = [cell for cell in compared.cells if cell.same.phase in HEADLINES]
    tables = [_money(compared, purposes)] if compared.prices else []
    metered = [cell for cell in purposes if any(_joules(compared, cell))]
    tables += [_energy(compared, metered)] if metered else []
    if not tables:
        return None
    return Section(
        id="across-costs",
        title="What an example costs",
        tables=tuple(tables),
        conclusions=tuple(_for_the_same_money(compared)),
        lead="Times of the table above, times the price of an hour that --price says, and "
        "the joules that a counter of the device counted in one generation. Energy of what has no "
        "counter (memory, fans, the power supply) is not in it.",
        brief="examples for one unit of money, examples/J, watts",
        data={"costs": [_data(compared, cell) for cell in purposes]},
    )


def _for_the_same_money(compared: SideBySide) -> list[str]:
    """The geometric mean over the workloads, of sides that have a price."""
    first = compared.prices.get(compared.names[0])
    spoken = []
    for phase, of_sides in compared.overall.items():
        clauses = []
        for name, one in zip(compared.names, of_sides, strict=True):
            price = compared.prices.get(name)
            if first is not None and price is not None and one is not None:
                times = one.faster.value * first.an_hour / price.an_hour
                clauses.append(f"{name} does {factor(times)}x as much as {compared.names[0]}")
        if clauses:
            purpose = HEADLINES[phase].capitalize()
            spoken.append(f"{purpose}, for the same money: {'; '.join(clauses)}.")
    return spoken


def _money(compared: SideBySide, shared: Sequence[Shared]) -> Table:
    priced = [side for side in compared.sides if side.name in compared.prices]
    columns = [*_where(), *(Column(_a_unit(compared, side), number=True) for side in priced)]
    rows = []
    for cell in shared:
        figures = [Cell(scaled(_for_money(compared, cell, side), "")) for side in priced]
        rows.append([*_named(cell), *figures])
    return table(columns, rows, title="Examples for one unit of money")


def _a_unit(compared: SideBySide, side: Side) -> str:
    return f"{side.name}, {compared.prices[side.name].an_hour:g}/h"


def _for_money(compared: SideBySide, cell: Shared, side: Side) -> float | None:
    timed = cell.cells[compared.sides.index(side)]
    if timed is None:
        return None
    return timed.batch_size / timed.call_s * HOUR_S / compared.prices[side.name].an_hour


def _energy(compared: SideBySide, shared: Sequence[Shared]) -> Table:
    sources = {side: _source(compared, shared, place) for place, side in enumerate(compared.names)}
    metered = [name for name, source in sources.items() if source]
    columns = [*_where()]
    for name in metered:
        columns += [Column(f"{name}, examples/J", number=True), Column("W", number=True)]
    rows = []
    for cell in shared:
        joules = dict(zip(compared.names, _joules(compared, cell), strict=True))
        timed = dict(zip(compared.names, cell.cells, strict=True))
        figures: list[Cell] = []
        for name in metered:
            figures += _of_energy(timed[name], joules[name])
        rows.append([*_named(cell), *figures])
    note = "; ".join(f"{name}: {sources[name]}" for name in metered)
    return table(columns, rows, title="Energy", note=note)


def _of_energy(cell: TimedCell | None, joules: float | None) -> tuple[Cell, Cell]:
    """Examples a joule, and watts while it was called."""
    if cell is None or not joules:
        return Cell(MISSING), Cell(MISSING)
    return Cell(digits(cell.batch_size / joules)), Cell(digits(joules / cell.call_s))


def _joules(compared: SideBySide, cell: Shared) -> list[float | None]:
    """A call, on each side; None without a counter."""
    joules: list[float | None] = []
    for side, timed in zip(compared.sides, cell.cells, strict=True):
        energy = _energy_of(side, timed)
        joules.append(energy.joules if energy is not None and energy.joules > 0 else None)
    return joules


def _source(compared: SideBySide, shared: Sequence[Shared], place: int) -> str:
    """The counter of a side; empty where it has none."""
    energies = [_energy_of(compared.sides[place], cell.cells[place]) for cell in shared]
    return next((energy.source for energy in energies if energy is not None), "")


def _energy_of(side: Side, timed: TimedCell | None) -> CountedEnergy | None:
    return None if timed is None else side.newest.facts.cell(timed.key).energy


def _where() -> tuple[Column, ...]:
    return Column("workload", once=True), Column("phase", once=True), Column("arm")


def _named(cell: Shared) -> tuple[Cell, ...]:
    phase = HEADLINES.get(cell.same.phase, cell.same.phase)
    return Cell(str(cell.case)), Cell(phase), arm_cell(cell.same.label, cell.backend)


def _data(compared: SideBySide, cell: Shared) -> dict[str, Any]:
    joules = dict(zip(compared.names, _joules(compared, cell), strict=True))
    money = {
        side.name: _for_money(compared, cell, side)
        for side in compared.sides
        if side.name in compared.prices
    }
    return {
        "workload": cell.same.workload,
        "batch_size": cell.same.batch_size,
        "phase": cell.same.phase,
        "arm": cell.same.arm,
        "examples_for_one_unit_of_money": money,
        "joules": joules,
    }
