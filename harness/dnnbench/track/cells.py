"""Cells of recorded runs, by what makes two of them the same cell."""

from typing import Any

from ..execution.measured import Measured

IDENTITY = ("workload", "spec_hash", "arm_key", "batch_size", "phase")


def identity(cell) -> tuple:
    """What a row of a run's cells shares with the same cell of another run."""
    return tuple(getattr(cell, name) for name in IDENTITY)


def timed(run: Measured) -> dict[tuple, Any]:
    """Cells with visits that did not fail, by identity."""
    return {identity(c): c for c in run.cells if c.cell_id in run.visits and c.status != "failed"}


def setting(run: Measured, name: str) -> Any:
    """A setting as the run stored it; None where it stored none."""
    return run.settings.chosen.get(name)
