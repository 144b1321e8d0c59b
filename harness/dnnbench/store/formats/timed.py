"""The timed cells of a run, as the writers of other tools' files take them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import StoreError

Row = Mapping[str, Any]
"""A row of a frame as plain values, whatever is missing as None."""


@dataclass(frozen=True)
class TimedRun:
    """A run, its machine, and its cells that have a time a call, joined with their statistics."""

    run: Row
    machine: Row
    cells: Sequence[Row]


def timed_run(run: Row, machine: Row, cells: Sequence[Row]) -> TimedRun:
    """Of all cells those with a time; StoreError where there is none."""
    timed = [cell for cell in cells if cell["workload"] and cell.get("call_s")]
    if not timed:
        raise StoreError(
            f"export: run {run['run_id']} has no timed cell, and that format needs one"
        )
    return TimedRun(run, machine, timed)


def cell_name(cell: Row) -> str:
    """As `mlp_digits/64 train_step torch:eager`: one name for a cell in every run of its kind."""
    return f"{cell['workload']}/{cell['batch_size']} {cell['phase']} {cell['arm']}"
