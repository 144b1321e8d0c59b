"""Rows of the table of cells: what a plan adds, and what a run changes of it."""

from collections.abc import Mapping
from typing import Any

from dnnbench.store.identity import canonical_json, cell_id
from dnnbench.store.rows import check_names, full_row, json_ready, plain

from ..errors import StoreError
from ..store import schema

CELL_STATUSES = ("pending", "ok", "failed", "unsupported", "skipped")
IDENTITY = ("workload", "spec_hash", "arm", "arm_key", "batch_size", "phase")
CHANGING = (
    "status", "reason", "calls", "flops", "bytes",
    "peak_rss_bytes", "peak_device_bytes", "unequal", "rank_group",
)  # fmt: skip


def new_cell(run_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A full row of the table, its place in the plan left open."""
    row = {"status": "pending", **row, "run_id": run_id, "ordinal": 0, "cell_id": ""}
    if isinstance(row.get("arm_key"), Mapping):
        row["arm_key"] = canonical_json(json_ready(row["arm_key"]))
    _check_cell_status(row)
    row = full_row(schema.CELL, row)
    return row | {"cell_id": cell_id(run_id, *(row[name] for name in IDENTITY))}


def changed_cell(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a run may change, and the cell's id."""
    check_names(schema.CELL, row, ("cell_id", *CHANGING))
    _check_cell_status(row)
    return {name: plain(value) for name, value in row.items()}


def _check_cell_status(row: Mapping[str, Any]) -> None:
    status = row.get("status", "pending")
    if status not in CELL_STATUSES:
        raise StoreError(f"cell: got status {status!r}, expected one of {', '.join(CELL_STATUSES)}")
