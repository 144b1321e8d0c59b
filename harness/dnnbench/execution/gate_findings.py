"""The findings of a gate in its store: written with each of its runs, and read back as the gate."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from .gate_cells import Gate, GateCell, Stage
from .gate_figures import read_counts, with_counts
from .gate_policy import GatePolicy
from .measured import Measured
from .stored_settings import run_settings

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
    stage = _stage_of(gate, run.run.run_id)
    rows = ((cell, _row(cell, stage)) for cell in gate.cells)
    return [
        {"cell_id": ids[cell.key], "base": cell.base, "theta": cell.theta, "stage": str(stage)}
        | row
        for cell, row in rows
        if row
    ]


def _stage_of(gate: Gate, run_id: str) -> Stage:
    if run_id == gate.screen_run:
        return Stage.SCREEN
    return Stage.CONFIRM if run_id == gate.confirm_run else Stage.CONFIRM_AGAIN


def _row(cell: GateCell, stage: Stage) -> dict[str, Any]:
    """Empty where the stage did not take the cell."""
    if stage is Stage.SCREEN:
        return _screening_row(cell)
    confirmation = cell.confirmation if stage is Stage.CONFIRM else cell.second
    return {} if confirmation is None else _confirming_row(confirmation)


def _screening_row(cell: GateCell) -> dict[str, Any]:
    return {
        "flagged": cell.flagged,
        "answered": cell.sound,
        "smallest_difference": cell.smallest,
        **_figures(cell.screen, cell.finding),
    }


def _confirming_row(confirmation: Confirmation) -> dict[str, Any]:
    return {
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


@dataclass(frozen=True)
class _Confirmed:
    """A confirming run as it was stored; empty where none was taken."""

    run: RunRow | None = None
    cells: Sequence[CellRow] = ()
    confirmations: Mapping[CellKey, Confirmation] = field(default_factory=dict)

    @property
    def run_id(self) -> str | None:
        return None if self.run is None else self.run.run_id


def read_gate(store: Store, run_id: str) -> Gate | None:
    """The gate that a run screened or confirmed, as it was found.

    None for a run that is no gate's, and for one that an older dnnbench measured.
    """
    runs = {run.run_id: run for run in run_rows(store.runs())}
    screen = _screening(runs, run_id)
    if screen is None or not screen.settings.get("gate"):
        return None
    first = _confirmed_by(store, runs, screen)
    second = _Confirmed() if first.run is None else _confirmed_by(store, runs, first.run)
    screening = _rows_by_cell(store, screen.run_id)
    cells = cell_rows(store.cells(screen.run_id))
    settings = run_settings(screen.settings)
    taken = [run for run in (screen, first.run, second.run) if run is not None]
    stopped = any(run.status != "complete" for run in taken)
    unconfirmed = first.run is None and any(row.flagged for row in screening.values())
    policy = _policy(screen)
    counts = read_counts(store, screen.run_id, settings.base or "")
    judged = (
        replace(
            _screened(cell, screening[cell.cell_id]),
            confirmation=first.confirmations.get(cell.key),
            second=second.confirmations.get(cell.key),
        )
        for cell in cells
        if cell.cell_id in screening
    )
    return Gate(
        base=settings.base or "",
        theta=settings.theta,
        screen_run=screen.run_id,
        cells=with_counts(judged, counts, policy),
        confirm_run=first.run_id,
        second_run=second.run_id,
        failed=_failed([*cells, *first.cells, *second.cells]),
        unproven=unproven(agreement_rows(records(store.agreement(screen.run_id)))),
        interrupted=stopped or unconfirmed,
        chosen_policy=policy,
    )


def _screening(runs: Mapping[str, RunRow], run_id: str) -> RunRow | None:
    """The run that screened, of any run of its gate; None where it is gone.

    A second confirmation confirms the first, which confirms the screen.
    """
    run = runs.get(run_id)
    for _ in (Stage.CONFIRM_AGAIN, Stage.CONFIRM):
        if run is not None and (confirms := run.settings.get("confirms")):
            run = runs.get(confirms)
    return run


def _confirmed_by(store: Store, runs: Mapping[str, RunRow], before: RunRow) -> _Confirmed:
    """The run that confirms another, if there is one, with what it found of each cell."""
    confirming = (run for run in runs.values() if run.settings.get("confirms") == before.run_id)
    run = next(confirming, None)
    if run is None:
        return _Confirmed()
    rows = _rows_by_cell(store, run.run_id)
    cells = cell_rows(store.cells(run.run_id))
    taken = {cell.key: _confirmation(rows[cell.cell_id]) for cell in cells if cell.cell_id in rows}
    return _Confirmed(run, cells, taken)


def _rows_by_cell(store: Store, run_id: str) -> dict[str, FindingRow]:
    rows = [FindingRow(**row) for row in records(store.findings(run_id))]
    return {row.cell_id: row for row in rows}


def _policy(run: RunRow) -> GatePolicy:
    try:
        return GatePolicy.from_json(run.settings["gate"])
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"run {run.run_id}: its gate's policy cannot be read ({error})") from error


def _screened(cell: CellRow, row: FindingRow) -> GateCell:
    return GateCell(
        key=cell.key,
        base=row.base,
        finding=row.finding,
        screen=row.estimate,
        smallest=_number(row.smallest_difference),
        sound=row.answered,
        flagged=row.flagged,
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
    """Why cells failed, in any run."""
    return {
        cell.key: (cell.reason or "").removeprefix(FAILED)
        for cell in cells
        if cell.status == "failed"
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value
