"""The cells of a run in its store: their ids, and what is written of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..errors import NothingMeasured
from ..protocol.figures import Figure, FigureKind
from ..protocol.keys import CellKey
from ..store.store import Store
from .plan import CONTROL, Plan
from .record import Record


def cell_ids(store: Store, run_id: str, plan: Plan) -> tuple[dict[CellKey, str], str]:
    """(the store's id of every cell of the plan, the control arm's), added if they are
    not there yet.
    """
    if store.cells(run_id).empty:
        store.add_cells(run_id, plan.cells())
    rows = store.cells(run_id)
    places = zip(rows["arm"], rows["workload"], rows["batch_size"], rows["phase"], strict=True)
    ids = dict(zip(places, rows["cell_id"], strict=True))
    cells = {
        key: ids[key.arm.name, key.case.workload, key.case.batch_size, key.phase]
        for key in plan.cell_keys()
    }
    return cells, ids[CONTROL, "", 0, CONTROL]


def frozen_calls(store: Store, run_id: str, ids: Mapping[CellKey, str]) -> dict[CellKey, int]:
    """Calls a visit that an earlier sitting chose."""
    cells = store.cells(run_id).set_index("cell_id")
    calls = cells["calls"].dropna().to_dict()
    return {key: int(calls[cell]) for key, cell in ids.items() if cell in calls}


def changes_of(
    record: Record, ids: Mapping[CellKey, str], calls: Mapping[CellKey, int]
) -> list[dict[str, Any]]:
    """What a generation tells of cells: their peaks of memory, and the calls of a visit."""
    peaks = {key: facts.peaks for key, facts in record.cells.items() if facts.peaks}
    changes = [{"cell_id": ids[key]} | asdict(peak) for key, peak in peaks.items()]
    changes += [{"cell_id": ids[key], "calls": k} for key, k in calls.items() if key in ids]
    return changes


def first_call_rows(record: Record, number: int) -> list[dict[str, Any]]:
    """Rows of the store's `first_call` table."""
    return [
        {
            "arm": key.arm.name,
            "workload": key.case.workload,
            "batch_size": key.case.batch_size,
            "phase": key.phase,
            "generation": number,
        }
        | asdict(facts.first_call)
        for key, facts in record.cells.items()
        if facts.first_call is not None
    ]


def figure_rows(record: Record, ids: Mapping[CellKey, str]) -> list[dict[str, Any]]:
    """Rows of the store's `figure` table: what was counted, and why other things were not."""
    rows = []
    for key, of_call in record.figures.items():
        for figure in (*of_call.figures, *_peaks(record, key)):
            rows.append(_figure_row(ids[key], figure))
        for name, reason in of_call.missing.items():
            blank = {"figure": name, "value": None, "unit": "", "figure_kind": FigureKind.COUNTED}
            rows.append({"cell_id": ids[key], "reason": reason} | blank)
    return rows


def _figure_row(cell_id: str, figure: Figure) -> dict[str, Any]:
    return {
        "cell_id": cell_id,
        "figure": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "figure_kind": figure.kind,
    }


def _peaks(record: Record, key: CellKey) -> list[Figure]:
    """Most memory in one call, where the system and the framework count it."""
    peaks = record.cells[key].peaks
    counts = {} if peaks is None else asdict(peaks)
    return [
        Figure(name, float(count), "B", FigureKind.COUNTED)
        for name, count in counts.items()
        if count is not None
    ]


def status_row(
    key: CellKey,
    cell_id: str,
    failed: Mapping[CellKey, str],
    unsupported: Mapping[CellKey, str],
    is_measured: bool,
) -> dict[str, Any] | None:
    """A cell's status at the end of a run: failed and unsupported with the reason,
    ok where something was measured, None where nothing is known.
    """
    if key in failed:
        return {"cell_id": cell_id, "status": "failed", "reason": f"failed: {failed[key]}"}
    if key in unsupported:
        return {"cell_id": cell_id, "status": "unsupported", "reason": unsupported[key]}
    return {"cell_id": cell_id, "status": "ok"} if is_measured else None


def refuse_nothing(run_id: str, store: Store, skipped: Sequence[str]) -> None:
    """NothingMeasured if not one cell of the run has a sample."""
    if not measured_anything(store, run_id):
        reasons = {*store.cells(run_id)["reason"].dropna(), *skipped}
        raise NothingMeasured("nothing could be measured: " + "; ".join(sorted(reasons)))


def measured_anything(store: Store, run_id: str) -> bool:
    """Whether a cell other than the control arm's has a result."""
    cells = store.cells(run_id)
    return bool((cells[cells["arm"] != CONTROL]["status"] == "ok").any())
