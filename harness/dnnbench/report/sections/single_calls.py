"""Percentiles of calls that were timed one by one, beside the median of visits."""

from typing import Any

import numpy as np

from ...execution.measured import Measured
from ...stats.estimates import CONTENDED, Estimate, Visits
from ...stats.percentiles import LEAST_FOR, percentile
from ...store.run_rows import CellRow
from ..builders import Builder
from ..cells import arm_cell, estimate_cell
from ..evidence import HEADLINES, Evidence, by_headline
from ..quantity import milliseconds, percent
from ..section import Cell, Column, Section, table
from ..summary_rows import CellSummary

SHARES = tuple(LEAST_FOR)
COLUMNS = (
    Column("workload", once=True),
    Column("phase", once=True),
    Column("arm"),
    Column("visits", number=True, spare=4),
    *(Column(f"p{100 * share:g}", number=True, spare_interval=3) for share in SHARES),
    Column("calls", number=True, spare=1),
    Column("contended", number=True, spare=2),
)
LEAD = (
    "Milliseconds of calls that were timed one by one after the rounds, arms in turn. Every call "
    "counts, contended ones too, or the tail would be cut; their share stands beside. Intervals "
    "are order statistics of these calls: they hold for these processes, and know nothing of how "
    "others would differ. 'visits' is the median that everything else is about, of calls timed "
    "together."
)


def single_calls(evidence: Evidence) -> Section | None:
    """None for a run without `--single-calls`."""
    run = evidence.measured
    if not run.singles:
        return None
    order = by_headline(cell.phase for cell in run.cells)
    cells = sorted(
        (cell for cell in run.cells if cell.cell_id in run.singles),
        key=lambda cell: (evidence.cases.index(cell.case), order.index(cell.phase)),
    )
    by_id = {row.cell_id: row for row in evidence.rows}
    return Section(
        id="single-calls",
        title="Single calls",
        sentences=tuple(_tails(run, cells)),
        tables=(table(COLUMNS, [_row(run, cell, by_id[cell.cell_id]) for cell in cells]),),
        doubts=tuple(_doubts(run)),
        lead=LEAD,
        brief="ms a call; p50, p90, p99 with intervals by order statistics",
        data={"single_calls": [_data(run, cell) for cell in cells]},
    )


def _percentiles(calls: Visits) -> list[Estimate]:
    return [percentile(calls.call_s, share) for share in SHARES]


def _row(run: Measured, cell: CellRow, row: CellSummary) -> tuple[Cell, ...]:
    calls = run.singles[cell.cell_id]
    return (
        Cell(str(cell.case)),
        Cell(HEADLINES.get(cell.phase, cell.phase)),
        arm_cell(cell.arm, cell.backend),
        Cell(milliseconds(row.call_s)),
        *(estimate_cell(one, milliseconds) for one in _percentiles(calls)),
        Cell(f"{len(calls.call_s):,}"),
        Cell(percent(_contended(calls))),
    )


def _contended(calls: Visits) -> float:
    """The share of calls during which the kernel counted contention."""
    return float(np.mean((calls.flags & CONTENDED) != 0))


def _tails(run: Measured, cells: list[CellRow]) -> list[str]:
    """Whose slowest hundredth is furthest from its median."""
    spread = []
    for cell in cells:
        median, _, tail = _percentiles(run.singles[cell.cell_id])
        if tail.value == tail.value:
            spread.append((tail.value / median.value, cell))
    if not spread:
        return []
    widest, cell = max(spread, key=lambda pair: pair[0])
    purpose = HEADLINES.get(cell.phase, cell.phase)
    return [
        f"One call in a hundred takes at least {widest:.2g}x the median: {cell.arm} in {purpose} "
        f"of {cell.case}, the widest"
    ]


def _doubts(run: Measured) -> list[str]:
    fewest = min(len(calls.call_s) for calls in run.singles.values())
    least = LEAST_FOR[SHARES[-1]]
    if fewest >= least:
        return []
    return [f"p99 needs {least:,} calls, and a cell has {fewest:,}: ask for more --single-calls"]


def _data(run: Measured, cell: CellRow) -> dict[str, Any]:
    calls = run.singles[cell.cell_id]
    figures = {
        f"p{100 * share:g}_s": {"value": one.value, "low": one.low, "high": one.high}
        for share, one in zip(SHARES, _percentiles(calls), strict=True)
    }
    where = {"workload": cell.workload, "batch_size": cell.batch_size, "phase": cell.phase}
    counted = {"calls": len(calls.call_s), "contended": _contended(calls)}
    return where | {"arm": cell.arm} | counted | figures


BUILDER = Builder(78, single_calls)
