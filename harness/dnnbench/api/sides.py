"""dnnbench.side_by_side: the same cells on several machines, in several versions or types."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..execution.settings import STORE
from ..report.across.by import By, by_named
from ..report.across.choosing import runs_of
from ..report.across.compared import SideBySide
from ..report.across.compared import side_by_side as compared_sides
from ..report.across.part import sections as across_sections
from ..report.across.prices import Price
from ..report.across.sides import Side
from ..report.evidence import Evidence, gather
from ..report.section import Section
from ..stats.estimates import Estimate
from ..store.store import open_store
from .options import Texts, texts
from .showing import Shown

if TYPE_CHECKING:
    import pandas as pd

CELLS = [
    "side", "run_id", "workload", "batch_size", "phase", "arm", "dtype",
    "call_s", "call_s_low", "call_s_high", "examples_per_s", "units_per_s", "unit",
    "times_as_fast", "times_as_fast_low", "times_as_fast_high", "doubt",
]  # fmt: skip
OVERALL = [
    "side", "phase", "times_as_fast", "low", "high", "workloads", "families",
    "of_others_low", "of_others_high", "within_run_error_only",
]  # fmt: skip


@dataclass(frozen=True, repr=False)
class Sides(Shown):
    """Machines, versions or types set beside each other; a notebook shows the answer.

    Every ratio is to the first side: above 1 is faster.
    """

    compared: SideBySide
    runs: Sequence[Evidence]
    """Of all sides."""

    @property
    def names(self) -> list[str]:
        """Of the sides, the first one first."""
        return self.compared.names

    @property
    def overall(self) -> "pd.DataFrame":
        """A row for each side but the first, and purpose: the geometric mean over the workloads
        with its interval, and, from eight families on, what that says of other workloads.
        """
        import pandas as pd

        rows = [
            {
                "side": name,
                "phase": phase,
                **_named(one.faster, "times_as_fast", "low", "high"),
                "workloads": len({case.workload for case in one.by_case}),
                "families": len(one.families),
                **_named(one.others, "", "of_others_low", "of_others_high"),
                "within_run_error_only": one.within_runs_only,
            }
            for phase, of_sides in self.compared.overall.items()
            for name, one in zip(self.names, of_sides, strict=True)
            if one is not None
        ]
        return pd.DataFrame(rows, columns=OVERALL)

    @property
    def cells(self) -> "pd.DataFrame":
        """A row for each side of each cell that two sides or more have: its time there, and how
        many times as fast it is as on the first.
        """
        import pandas as pd

        rows = [
            row for place, side in enumerate(self.compared.sides) for row in self._of(place, side)
        ]
        return pd.DataFrame(rows, columns=CELLS)

    def _of(self, place: int, side: Side) -> list[dict[str, Any]]:
        rows = []
        for shared in self.compared.cells:
            cell, faster = shared.cells[place], shared.faster[place]
            if cell is None:
                continue
            examples_per_s = cell.batch_size / cell.call_s
            nothing = Estimate(math.nan, math.nan, math.nan, 0)
            columns = ("times_as_fast", "times_as_fast_low", "times_as_fast_high")
            rows.append(
                {
                    "side": side.name,
                    "run_id": side.newest.run.run_id,
                    "workload": cell.workload,
                    "batch_size": cell.batch_size,
                    "phase": cell.phase,
                    "arm": shared.same.arm,
                    "dtype": cell.dtype,
                    "call_s": cell.call_s,
                    "call_s_low": cell.call_s_low,
                    "call_s_high": cell.call_s_high,
                    "examples_per_s": examples_per_s,
                    "units_per_s": examples_per_s * shared.unit.each,
                    "unit": shared.unit.name,
                    **_named(faster or nothing, *columns),
                    "doubt": shared.doubts[place],
                }
            )
        return rows

    @property
    def differences(self) -> "pd.DataFrame":
        """A row for each fact that is not the same everywhere, a column for each side."""
        import pandas as pd

        rows = [
            {"fact": name, **values}
            for section in self.sections()
            for name, values in section.data.get("differences", {}).items()
        ]
        return pd.DataFrame(rows, columns=["fact", *self.names])

    def sections(self) -> Sequence[Section]:
        """How much faster each side is, what an example costs, what else differs, every cell."""
        return across_sections(self.compared)

    def report(self, path: str | Path) -> Path:
        """Write the offline HTML page of all sides; StoreError where the file cannot be written."""
        from ..report.html import page_of
        from ..report.parts import parts_of
        from ..report.writing import write_report

        parts = parts_of(self.runs, self.compared)
        return write_report(path, page_of(self.runs, parts, at=path))

    def __repr__(self) -> str:
        return f"<{len(self.names)} sides by {self.compared.by}: {', '.join(self.names)}>"


def _named(estimate: Estimate, value: str, low: str, high: str) -> dict[str, float]:
    """An estimate as columns; without a name, not the value."""
    ends = {low: estimate.low, high: estimate.high}
    return {value: estimate.value, **ends} if value else ends


def side_by_side(
    stores: Texts = STORE,
    *,
    by: str = By.MACHINE,
    run: str | None = None,
    prices: Mapping[str, float] | None = None,
) -> Sides:
    """Set the same cells of several machines, versions or types beside each other.

    stores: one or several, as `load` takes them.  by: machine, version or dtype.  run: an id, label
    or revision to take of each store, by default the newest run of each side.  prices: what an hour
    costs, by the name of a side.

    Raises UsageError for another `by`, for fewer than two sides and for sides without a common
    cell, StoreError for a store or a run that is not there.
    """
    chosen = by_named(by)
    runs, places = [], []
    for target in texts("stores", stores):
        with open_store(target, create=False) as store:
            ids = runs_of(store, chosen, run)
            runs += [gather(store, run_id) for run_id in ids]
            places += [store.place] * len(ids)
    priced = [_price(name, an_hour) for name, an_hour in (prices or {}).items()]
    return Sides(compared_sides(runs, chosen, places, priced), runs)


def _price(name: str, an_hour: float) -> Price:
    if not 0 < an_hour < math.inf:
        raise UsageError(f"prices: got {an_hour!r} for {name}, expected an amount above 0")
    return Price(name, an_hour)
