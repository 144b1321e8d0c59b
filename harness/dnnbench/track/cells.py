"""Cells of recorded runs, by what makes two of them the same cell."""

from typing import Any

from ..execution.measured import Measured
from ..store.run_rows import CellRow

Identity = tuple[Any, ...]
"""The values of IDENTITY."""
IDENTITY = ("workload", "spec_hash", "arm_key", "batch_size", "phase")


def identity(cell: CellRow) -> Identity:
    """What a row of a run's cells shares with the same cell of another run."""
    return tuple(getattr(cell, name) for name in IDENTITY)


def timed(run: Measured) -> dict[Identity, CellRow]:
    """Cells with visits that did not fail, by identity."""
    return {identity(c): c for c in run.cells if c.cell_id in run.visits and c.status != "failed"}


def setting(run: Measured, name: str) -> Any:
    """A setting as the run stored it; None where it stored none."""
    return run.settings.chosen.get(name)
