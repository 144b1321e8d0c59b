"""The statistics of every cell of a run: time, ratio to the base, verdict."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..execution.measured import Measured, measured
from ..execution.twins import twin_doubt, twins_of
from ..stats.estimates import absolute_time, smallest_difference
from ..stats.flags import UNSETTLED
from ..stats.verdict import APART, too_wide
from ..store.columns import FRAMES
from ..store.frames import frame
from ..store.run_rows import CellRow
from ..store.store import Store
from .judged import judged
from .quantity import seconds

if TYPE_CHECKING:
    import pandas as pd

TIMED = FRAMES["summary"][1:8]
JUDGED = FRAMES["summary"][9:]


def summarise(store: Store, run_id: str) -> "pd.DataFrame":
    """Frame `cells` of a run joined with `summary`, without the control arm, as planned.

    A cell without visits keeps its row, status and reason. The base itself, cells that may not be
    ranked and cells that failed on the way have a time but neither ratio nor verdict;
    `verdict_reason` says why. An interval that something overrules (disturbed rounds, drift, a
    bench that contradicts itself), or one `too_wide` to decide, is missing.
    """
    return summary_of(measured(store, run_id))


def summary_only(cells: "pd.DataFrame") -> "pd.DataFrame":
    """The columns of frame `summary` of what `summarise` returns, for `store.export`."""
    return cells[list(FRAMES["summary"])]


def summary_of(run: Measured) -> "pd.DataFrame":
    """`summarise` of a run that has been read."""
    doubt = twin_doubt(twins_of(run))
    rows = [_summary(run, cell, doubt) for cell in run.cells if cell.cell_id in run.visits]
    return run.frame.merge(frame("summary", rows), on="cell_id", how="left")


def _summary(run: Measured, cell: CellRow, doubt: str) -> list[Any]:
    """A row of frame `summary`, in the order of its columns."""
    timed = _timed(run, cell)
    is_base = run.is_base(cell)
    reason = None if is_base else run.not_ranked(cell) or None
    silent = dict.fromkeys(JUDGED) | {"verdict_reason": reason}
    base = None if is_base or reason else run.base_of(cell)
    against = silent if base is None else _judged(run, cell, base, doubt)
    row = {"cell_id": cell.cell_id, "base": run.base} | timed | against
    return [row[name] for name in FRAMES["summary"]]


def _timed(run: Measured, cell: CellRow) -> dict[str, Any]:
    visits, dropped = run.visits[cell.cell_id], run.dropped[cell.case]
    time = absolute_time(visits, dropped)
    kept = visits.without(dropped)
    shown = not run.time_doubt(cell) and not too_wide(time)
    values = (
        time.value,
        time.low if shown else None,
        time.high if shown else None,
        time.generations,
        len(kept.keys),
        len(visits.keys) - len(kept.keys),
        len(np.unique(visits.generation[(visits.flags & UNSETTLED) != 0])),
    )
    return dict(zip(TIMED, values, strict=True))


def _judged(run: Measured, cell: CellRow, base: CellRow, doubt: str) -> dict[str, Any]:
    """doubt: why no verdict of the run holds, empty if they may."""
    against = judged(run, cell, base, doubt)
    estimate, finding = against.ratio.estimate, against.finding
    bounds: tuple[float | None, float | None] = (estimate.low, estimate.high)
    least: float | None = smallest_difference(against.ratio.effects, run.theta)
    if finding.overruled:
        bounds, least = (None, None), None
    values = (estimate.value, *bounds, finding.verdict, finding.reason or None, least)
    return dict(zip(JUDGED, values, strict=True))


def time_doubts(run: Measured) -> dict[str, str]:
    """What speaks against the time of a cell, by cell_id; only cells whose time has no interval for
    it.
    """
    cells = [cell for cell in run.cells if cell.cell_id in run.visits]
    doubts = {cell.cell_id: run.time_doubt(cell) or _apart(run, cell) for cell in cells}
    return {cell_id: doubt for cell_id, doubt in doubts.items() if doubt}


def _apart(run: Measured, cell: CellRow) -> str:
    """That the generations of a cell lie too far apart for an interval; empty if they do not."""
    times = run.generation_times_s(cell)
    if not too_wide(absolute_time(run.visits[cell.cell_id], run.dropped[cell.case])):
        return ""
    return f"{APART}: a call took {seconds(min(times))} in one and {seconds(max(times))} in another"
