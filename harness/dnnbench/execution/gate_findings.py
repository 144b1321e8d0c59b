"""The findings of a gate in its store: written with each of its runs, and read back as the gate."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import StoreError
from ..protocol.keys import CellKey
from ..stats.estimates import Estimate
from ..stats.gate import Confirmation, Step
from ..stats.verdict import Finding, Verdict
from ..store.frames import records
from ..store.run_rows import CellRow, RunRow, cell_rows, run_rows
from ..store.store import Store
from .agreement_rows import agreement_rows, unproven
from .gate_cells import Gate, GateCell
from .gate_figures import read_counts, with_counts
from .gate_policy import GatePolicy
from .measured import Measured
from .stored_settings import run_settings

SCREEN, CONFIRM = "screen", "confirm"
FAILED = "failed: "
"""Before the reason of a cell that failed, as `run_cells` writes it."""


@dataclass(frozen=True)
class FindingRow:
    """A row of the frame `findings`; `columns` says what each column means."""

    run_id: str
    cell_id: str
    stage: str
    base: str
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    generations: int | None
    p: float | None
    threshold: float | None
    flagged: bool
    answered: bool
    overruled: bool
    verdict: str | None
    reason: str | None
    smallest_difference: float | None
    theta: float

    @property
    def estimate(self) -> Estimate:
        """Of the ratio to the base."""
        value, low, high = map(_number, (self.ratio, self.ratio_low, self.ratio_high))
        return Estimate(value, low, high, self.generations or 0)

    @property
    def finding(self) -> Finding:
        """The verdict with its reason."""
        verdict = Verdict(self.verdict) if self.verdict else None
        return Finding(verdict, self.reason or "", self.overruled)


def finding_rows(gate: Gate, run: Measured) -> list[dict[str, Any]]:
    """What the gate found in one of its runs, a row a cell of a candidate."""
    ids = {cell.key: cell.cell_id for cell in run.cells}
    confirms = run.run.run_id == gate.confirm_run
    row = _confirming_row if confirms else _screening_row
    cells = [cell for cell in gate.cells if cell.confirmation or not confirms]
    return [
        {"cell_id": ids[cell.key], "base": cell.base, "theta": cell.theta} | row(cell)
        for cell in cells
    ]


def _screening_row(cell: GateCell) -> dict[str, Any]:
    return {
        "stage": SCREEN,
        "flagged": cell.flagged,
        "answered": cell.sound,
        "smallest_difference": cell.smallest,
        **_figures(cell.screen, cell.finding),
    }


def _confirming_row(cell: GateCell) -> dict[str, Any]:
    confirmation = cell.confirmation
    assert confirmation is not None
    return {
        "stage": CONFIRM,
        "flagged": True,
        "answered": confirmation.answered,
        "smallest_difference": confirmation.smallest_difference,
        "p": confirmation.step.p,
        "threshold": confirmation.step.threshold,
        **_figures(confirmation.estimate, confirmation.finding),
    }


def _figures(estimate: Estimate, finding: Finding) -> dict[str, Any]:
    return {
        "ratio": estimate.value,
        "ratio_low": estimate.low,
        "ratio_high": estimate.high,
        "generations": estimate.generations,
        "verdict": None if finding.verdict is None else str(finding.verdict),
        "reason": finding.reason or None,
        "overruled": finding.overruled,
    }


def read_gate(store: Store, run_id: str) -> Gate | None:
    """The gate that a run screened or confirmed, as it was found.

    None for a run that is no gate's, and for one that an older dnnbench measured.
    """
    runs = {run.run_id: run for run in run_rows(store.runs())}
    first = runs.get(runs[run_id].settings.get("confirms") or run_id)
    if first is None or not first.settings.get("gate"):
        return None
    second = _confirming(runs.values(), first.run_id)
    screening = _rows_by_cell(store, first.run_id)
    again = {} if second is None else _rows_by_cell(store, second.run_id)
    cells = cell_rows(store.cells(first.run_id))
    fresh = [] if second is None else cell_rows(store.cells(second.run_id))
    confirmations = {c.key: again[c.cell_id] for c in fresh if c.cell_id in again}
    settings = run_settings(first.settings)
    stopped = any(run.status != "complete" for run in (first, second) if run is not None)
    unconfirmed = second is None and any(row.flagged for row in screening.values())
    policy = _policy(first)
    counts = read_counts(store, first.run_id, settings.base or "")
    judged = (
        _cell(cell, screening[cell.cell_id], confirmations.get(cell.key))
        for cell in cells
        if cell.cell_id in screening
    )
    return Gate(
        base=settings.base or "",
        theta=settings.theta,
        screen_run=first.run_id,
        cells=with_counts(judged, counts, policy),
        confirm_run=None if second is None else second.run_id,
        failed=_failed([*cells, *fresh]),
        unproven=unproven(agreement_rows(records(store.agreement(first.run_id)))),
        interrupted=stopped or unconfirmed,
        chosen_policy=policy,
    )


def _confirming(runs: Iterable[RunRow], screen_run: str) -> RunRow | None:
    """The run that confirms, if there is one."""
    return next((run for run in runs if run.settings.get("confirms") == screen_run), None)


def _rows_by_cell(store: Store, run_id: str) -> dict[str, FindingRow]:
    rows = [FindingRow(**row) for row in records(store.findings(run_id))]
    return {row.cell_id: row for row in rows}


def _policy(run: RunRow) -> GatePolicy:
    try:
        return GatePolicy.from_json(run.settings["gate"])
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"run {run.run_id}: its gate's policy cannot be read ({error})") from error


def _cell(cell: CellRow, row: FindingRow, again: FindingRow | None) -> GateCell:
    return GateCell(
        key=cell.key,
        base=row.base,
        finding=row.finding,
        screen=row.estimate,
        smallest=_number(row.smallest_difference),
        sound=row.answered,
        flagged=row.flagged,
        confirmation=None if again is None else _confirmation(again),
        theta=row.theta,
    )


def _confirmation(row: FindingRow) -> Confirmation:
    rejected = row.verdict == Verdict.CONFIRMED  # one that something overrules counts as none
    return Confirmation(
        estimate=row.estimate,
        step=Step(_number(row.p), _number(row.threshold), rejected),
        finding=row.finding,
        answered=row.answered,
        smallest_difference=_number(row.smallest_difference),
    )


def _failed(cells: Sequence[CellRow]) -> Mapping[CellKey, str]:
    """Why cells failed, in either run."""
    return {
        cell.key: (cell.reason or "").removeprefix(FAILED)
        for cell in cells
        if cell.status == "failed"
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value
