"""The base measured twice: a ratio whose truth is 1, so a run that finds another
is not to be believed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..stats.estimates import LEVEL, Estimate, log_pairs, ratio
from ..store.run_rows import CellRow
from .measured import Measured


@dataclass(frozen=True)
class Twin:
    """The base over itself in one phase of one case.

    The intervals of all of a run's twins hold together at 95 %.
    """

    workload: str
    batch_size: int
    phase: str
    arm: str
    ratio: Estimate
    """Without its interval where something speaks against the base's time."""
    doubt: str = ""
    """What that is."""

    @property
    def covers(self) -> bool | None:
        """Whether the interval holds 1.

        None where there is none: of one generation, or of a time that is doubted.
        """
        if self.ratio.generations < 2 or self.doubt:
            return None
        return self.ratio.low <= 1 <= self.ratio.high

    def to_json(self) -> dict[str, object]:
        return {
            "workload": self.workload,
            "batch_size": self.batch_size,
            "phase": self.phase,
            "arm": self.arm,
            **vars(self.ratio),
            "covers_1": self.covers,
            "doubt": self.doubt or None,
        }


def twins_of(run: Measured) -> list[Twin]:
    """Every phase in which both the base and its twin were visited.

    Each interval has level 1 - 0.05 / n, n the number of phases, so that all of them together cover
    with 95 % (Bonferroni): else a run of fourteen phases would be doubted every other time.
    """
    bases = {(cell.case, cell.phase): cell for cell in run.cells if cell.arm == run.base}
    pairs = [(twin, bases.get((twin.case, twin.phase))) for twin in run.twins]
    measured = [
        (t, b) for t, b in pairs if b is not None and {t.cell_id, b.cell_id} <= run.visits.keys()
    ]
    return [_twin(run, twin, base, 1 - (1 - LEVEL) / len(measured)) for twin, base in measured]


def _twin(run: Measured, twin: CellRow, base: CellRow, level: float) -> Twin:
    pairs = log_pairs(run.visits[twin.cell_id], run.visits[base.cell_id], run.dropped[twin.case])
    estimate, doubt = ratio(pairs, level).estimate, run.time_doubt(base)
    if doubt:
        estimate = replace(estimate, low=math.nan, high=math.nan)
    return Twin(twin.workload, twin.batch_size, twin.phase, base.arm, estimate, doubt)


def twin_doubt(twins: Sequence[Twin]) -> str:
    """Why no verdict of the run holds: a twin whose interval misses 1; empty if none does."""
    for twin in twins:
        if twin.covers is False:
            low, high = twin.ratio.low, twin.ratio.high
            return (
                f"the base against itself came out as {twin.ratio.value:.3f} [{low:.3f}, "
                f"{high:.3f}] in {twin.workload}/{twin.batch_size} {twin.phase}: "
                "this run finds differences where there are none"
            )
    return ""
