"""Everything that was found out about several sides, once: what the sections show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..evidence import HEADLINES, Evidence
from .by import By
from .overall import Overall, overall
from .prices import Price, prices_of
from .shared import Shared, shared_cells
from .sides import Side, sides_of


@dataclass(frozen=True)
class SideBySide:
    """Sides with the cells that they share; `overall` by phase, a value for each side, the first
    and what shares nothing with it None.
    """

    by: By
    sides: tuple[Side, ...]
    cells: tuple[Shared, ...]
    overall: Mapping[str, tuple[Overall | None, ...]]
    prices: Mapping[str, Price] = field(default_factory=dict)
    """By the name of the side."""

    @property
    def names(self) -> list[str]:
        return [side.name for side in self.sides]

    @property
    def several_arms(self) -> bool:
        return len({cell.same.arm for cell in self.cells}) > 1


def side_by_side(
    runs: Sequence[Evidence],
    by: By,
    places: Sequence[str] = (),
    prices: Sequence[Price] = (),
) -> SideBySide:
    """UsageError for fewer than two sides, without a common cell, or for a price of none.

    runs: newest first of each side   places: the store of each.
    """
    sides = sides_of(runs, by, places)
    cells = shared_cells(sides, by)
    phases = [phase for phase in HEADLINES if any(cell.same.phase == phase for cell in cells)]
    by_phase = {phase: _of_phase(sides, by, cells, phase) for phase in phases}
    return SideBySide(by, tuple(sides), tuple(cells), by_phase, prices_of(prices, sides))


def _of_phase(
    sides: Sequence[Side], by: By, cells: Sequence[Shared], phase: str
) -> tuple[Overall | None, ...]:
    others = [overall(sides, by, cells, place, phase) for place in range(1, len(sides))]
    return (None, *others)
