"""The statistics of every cell of a run: time, ratio to the base, verdict."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..measure.contention import UNSETTLED
from ..measure.statistics import Visits, absolute_time, ratio, smallest_difference
from ..measure.verdict import UNDECIDED, Verdict, judge
from ..run.measured import SPOILT, Measured, case_of, measured
from ..run.twins import twin_doubt, twins_of
from ..store.columns import FRAMES
from ..store.frames import frame
from ..store.store import Store

if TYPE_CHECKING:
    import pandas as pd

TIMED = FRAMES["summary"][1:8]
JUDGED = FRAMES["summary"][9:]


def summarise(store: Store, run_id: str) -> "pd.DataFrame":
    """Frame `cells` of a run joined with `summary`, the control arm left out, in the order of the plan.

    A cell without visits keeps its row, status and reason. The base itself, cells that may not be ranked and
    cells that failed on the way have a time but neither ratio nor verdict; `verdict_reason` says why.
    """
    return summary_of(measured(store, run_id))


def summary_only(cells: "pd.DataFrame") -> "pd.DataFrame":
    """The columns of frame `summary` from what `summarise` returns, as `store.export` takes them."""
    return cells[list(FRAMES["summary"])]


def summary_of(run: Measured) -> "pd.DataFrame":
    """`summarise` of a run that has been read."""
    doubt = twin_doubt(twins_of(run))
    rows = [_summary(run, cell, doubt) for cell in run.cells.itertuples() if cell.cell_id in run.visits]
    return run.cells.merge(frame("summary", rows), on="cell_id", how="left")


def _summary(run: Measured, cell, doubt: str) -> list[Any]:
    """A row of frame `summary`, in the order of its columns."""
    timed = _timed(run.visits[cell.cell_id], run.dropped[case_of(cell)])
    is_base = cell.arm == run.base
    reason = None if is_base else run.not_ranked(cell) or None
    silent = dict.fromkeys(JUDGED) | {"verdict_reason": reason}
    judged = silent if is_base or reason else _judged(run, cell, doubt)
    row = {"cell_id": cell.cell_id, "base": run.base} | timed | judged
    return [row[name] for name in FRAMES["summary"]]


def _timed(visits: Visits, dropped) -> dict[str, Any]:
    found = absolute_time(visits, dropped)
    kept = visits.without(dropped)
    values = (
        found.value,
        found.low,
        found.high,
        found.generations,
        len(kept.keys),
        len(visits.keys) - len(kept.keys),
        len(np.unique(visits.generation[(visits.flags & UNSETTLED) != 0])),
    )
    return dict(zip(TIMED, values, strict=True))


def _judged(run: Measured, cell, doubt: str) -> dict[str, Any]:
    """doubt: why no verdict of the run holds, empty if they may."""
    pairs = run.against_base(cell)
    found = ratio(pairs)
    verdict = judge(pairs, found, run.theta)
    if case_of(cell) in run.spoilt:
        verdict = Verdict(UNDECIDED, SPOILT)
    elif doubt and verdict.text != UNDECIDED:
        verdict = Verdict(UNDECIDED, doubt)
    values = (
        found.estimate.value,
        found.estimate.low,
        found.estimate.high,
        verdict.text,
        verdict.reason or None,
    )
    return dict(zip(JUDGED, (*values, smallest_difference(found.effects, run.theta)), strict=True))
