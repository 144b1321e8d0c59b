"""Rows of frame `cells` joined with `summary`, as values: every cell of a run, whether it was timed
or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ..protocol.keys import CaseKey

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CellSummary:
    """A cell with its statistics, None where it has none; `store.columns` says what each column
    means.
    """

    cell_id: str
    workload: str
    batch_size: int
    phase: str
    arm: str
    backend: str
    device: str
    dtype: str
    threads: int
    status: str
    reason: str | None
    flops: int | None
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    call_s: float | None
    call_s_low: float | None
    call_s_high: float | None
    generations: int | None
    visits: int | None
    rounds_dropped: int | None
    no_steady_state: int | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    verdict: str | None
    verdict_reason: str | None
    smallest_difference: float | None

    @property
    def case(self) -> CaseKey:
        return CaseKey(self.workload, self.batch_size)


COLUMNS = tuple(field.name for field in fields(CellSummary))


def cell_summaries(cells: "pd.DataFrame") -> list[CellSummary]:
    """cells: frame `cells` joined with `summary`."""
    from ..store.frames import records

    return [_cell_summary(row) for row in records(cells)]


def _cell_summary(row: Mapping[str, Any]) -> CellSummary:
    return CellSummary(**{name: row[name] for name in COLUMNS})
