"""What is read of a store: frames of runs, cells and what was measured."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dnnbench.store.database import Database
from dnnbench.store.find import find_run

from ..store import frames, schema

if TYPE_CHECKING:
    import pandas as pd


class StoredRuns(Database):
    """Frames, whose columns stand in columns.FRAMES.

    `run_ids` is one id, several, or None for all.
    """

    def runs(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Runs, oldest first, with the machine of each."""
        return self.read(lambda c: frames.runs(c, run_ids))

    def machines(self) -> "pd.DataFrame":
        """Machines with their facts."""
        return self.read(lambda c: frames.machines(c))

    def cells(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Cells in the order of their plan, oldest run first, each with its run,
        machine and versions.
        """
        return self.read(lambda c: frames.cells(c, run_ids))

    def samples(self, cell_ids: str | Iterable[str]) -> "pd.DataFrame":
        """Every visit of the cells, one row each, ordered by cell, generation, and time."""
        return self.read(lambda c: frames.samples(c, cell_ids))

    def generations(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Generations with their facts."""
        return self.read(lambda c: frames.of_runs(c, "generations", schema.GENERATION, run_ids))

    def first_calls(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """First calls of arms, by generation."""
        return self.read(lambda c: frames.of_runs(c, "first_calls", schema.FIRST_CALL, run_ids))

    def agreement(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Checks against the reference."""
        return self.read(lambda c: frames.of_runs(c, "agreement", schema.AGREEMENT, run_ids))

    def findings(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """What a gate found of each cell of a candidate, in the stage that the run was."""
        return self.read(lambda c: frames.of_runs(c, "findings", schema.FINDING, run_ids))

    def figures(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Figures of calls that noise cannot touch, by cell and generation."""
        return self.read(lambda c: frames.of_runs(c, "figures", schema.FIGURE, run_ids))

    def epochs(self, run_ids: str | Iterable[str] | None = None) -> "pd.DataFrame":
        """Epochs of training."""
        return self.read(lambda c: frames.of_runs(c, "epochs", schema.EPOCH, run_ids))

    def done_generations(self, run_id: str) -> list[int]:
        """Generations of a run that are committed, in order:
        what --resume need not measure again.
        """
        return self.generations(run_id)["generation"].tolist()

    def find_run(self, text: str) -> str:
        """The id of the run meant: an id or its beginning, `latest`, or the newest of a label,
        revision, day or machine.
        """
        return find_run(self.read(frames.run_names), text, self.place)
