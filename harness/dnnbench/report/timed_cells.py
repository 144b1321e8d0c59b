"""Rows of frame `cells` joined with `summary`, as values: read here, by attribute elsewhere."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..protocol.keys import CellKey
from ..store.run_rows import cell_key

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TimedCell:
    """A cell that has a time, in seconds a call.

    A bound is NaN where there is no interval, a count None where nothing tells it.
    """

    key: CellKey
    cell_id: str
    workload: str
    spec_hash: str
    batch_size: int
    phase: str
    arm: str
    backend: str
    device: str
    dtype: str
    call_s: float
    call_s_low: float
    call_s_high: float
    generations: int
    flops: int | None
    bytes: int | None
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    verdict: str | None
    """Against the base; None for the base itself and for what is not ranked."""


def timed_cells(cells: "pd.DataFrame") -> list[TimedCell]:
    """Every cell that has a time, in the order of the frame."""
    return [_timed_cell(row) for row in cells[cells["call_s"].notna()].itertuples()]


def _timed_cell(row: Any) -> TimedCell:
    """row: a named tuple, whose fields pandas makes."""
    return TimedCell(
        cell_key(row._asdict()),
        row.cell_id,
        row.workload,
        row.spec_hash,
        int(row.batch_size),
        row.phase,
        row.arm,
        row.backend,
        row.device,
        row.dtype,
        row.call_s,
        row.call_s_low,
        row.call_s_high,
        int(row.generations),
        _count(row.flops),
        _count(row.bytes),
        _count(row.peak_rss_bytes),
        _count(row.peak_device_bytes),
        row.verdict,
    )


def _count(value: Any) -> int | None:
    """value: of a column that may lack it, which pandas marks in several ways."""
    import pandas as pd

    return None if pd.isna(value) else int(value)
