"""What a recorded run measured: its cells, and their visits as the statistics take them."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..measure.apart import Recorded
from ..measure.statistics import Visits, by_cell, contended_rounds
from ..measure.verdict import THETA
from ..store.frames import records
from ..store.store import Store
from .plan import CONTROL

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CASE = ("workload", "spec_hash", "batch_size")


@dataclass(frozen=True)
class Measured:
    """One run; `cells` is the store's frame without the control arm, `visits` are those of a cell_id."""

    run: dict[str, Any]
    cells: "pd.DataFrame"
    visits: dict[str, Visits]
    control: Visits | None

    @property
    def base(self) -> str | None:
        """The arm that ratios refer to, as the run recorded it; else its first."""
        return self.run["settings"].get("base") or next(iter(self.cells["arm"]), None)

    @property
    def theta(self) -> float:
        """The dead zone of verdicts, a share."""
        return self.run["settings"].get("settings", {}).get("theta", THETA)

    @cached_property
    def dropped(self) -> dict[tuple, "np.ndarray"]:
        """Rounds that met contention, by case (workload, spec_hash, batch_size): all arms leave them out."""
        cases = self.cells.groupby(list(CASE), sort=False)["cell_id"]
        return {
            case: contended_rounds([self.visits[cell] for cell in cells if cell in self.visits]) for case, cells in cases
        }

    def recorded(self, cell) -> Recorded:
        """A row of `cells` that has visits, ready to be compared with another run's."""
        dropped = self.dropped[tuple(getattr(cell, name) for name in CASE)]
        return Recorded(self.visits[cell.cell_id], self.control, self.run["machine_id"], dropped)


def measured(store: Store, run_id: str) -> Measured:
    """Read a run with all its visits."""
    (run,) = records(store.runs(run_id))
    cells = store.cells(run_id)
    visits = by_cell(store.samples(cells["cell_id"]))
    (yardstick,) = [*cells.loc[cells["arm"] == CONTROL, "cell_id"], None][:1]
    others = cells[cells["arm"] != CONTROL].reset_index(drop=True)
    return Measured(run, others, visits, visits.get(yardstick))
