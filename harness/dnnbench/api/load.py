"""dnnbench.load: every recorded run of a store, as frames."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ..execution.settings import STORE
from ..report.section import Column, Section, table, words
from ..store.run_rows import RunRow, run_rows
from ..store.store import open_store
from .recorded import Run
from .showing import Shown

if TYPE_CHECKING:
    import pandas as pd


def load(store: str | Path = STORE) -> "Runs":
    """The runs of a store, oldest first: `runs[-1]` is the newest, `runs["before"]` the one of that
    label.

    store: an SQLite file, or postgresql://USER@HOST/DATABASE.  A run is read when it is first
    looked at. Raises StoreError where there is no store, or none that can be read.
    """
    with open_store(store, create=False) as opened:
        return Runs(store, opened.place, run_rows(opened.runs()))


class Runs(Shown, Sequence[Run]):
    """The runs of a store; its frames are those of all runs, one below the other."""

    def __init__(self, target: str | Path, place: str, rows: Sequence[RunRow]) -> None:
        self._target, self._place = target, place
        self._runs = [Run(target, place, row) for row in rows]

    @overload
    def __getitem__(self, place: int | str) -> Run: ...

    @overload
    def __getitem__(self, place: slice) -> "list[Run]": ...

    def __getitem__(self, place: int | str | slice) -> "Run | list[Run]":
        """By place; by id or its beginning, label, revision, or `latest`, as the command line finds
        runs.
        """
        if isinstance(place, str):
            return self._named(place)
        return self._runs[place]

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    @property
    def cells(self) -> "pd.DataFrame":
        """`Run.cells` of every run."""
        return self._below_each_other(lambda run: run.cells)

    @property
    def samples(self) -> "pd.DataFrame":
        """`Run.samples` of every run."""
        return self._below_each_other(lambda run: run.samples)

    @property
    def agreement(self) -> "pd.DataFrame":
        """`Run.agreement` of every run."""
        return self._below_each_other(lambda run: run.agreement)

    @property
    def epochs(self) -> "pd.DataFrame":
        """`Run.epochs` of every run."""
        return self._below_each_other(lambda run: run.epochs)

    @property
    def machine(self) -> "pd.DataFrame":
        """`Run.machine` of every machine, once."""
        frames = self._below_each_other(lambda run: run.machine)
        return frames[~frames.duplicated(["machine_id", "fact"])].reset_index(drop=True)

    def __repr__(self) -> str:
        return f"<{self._counted()}>"

    def _counted(self) -> str:
        return f"{len(self)} run{'' if len(self) == 1 else 's'} of {self._place}"

    def _named(self, text: str) -> Run:
        with open_store(self._target, create=False) as store:
            run_id = store.find_run(text)
        return next(run for run in self._runs if run.run_id == run_id)

    def _below_each_other(self, part: "Callable[[Run], pd.DataFrame]") -> "pd.DataFrame":
        import pandas as pd

        frames = [frame for frame in map(part, self._runs) if len(frame)]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def sections(self) -> Sequence[Section]:
        """A row a run."""
        columns = [Column(name) for name in ("run", "label", "created", "status", "command")]
        rows = [
            words(run.run_id, run.label or "", run.created, run.status, run.command)
            for run in self._runs
        ]
        return [Section("runs", self._counted(), (), (table(columns, rows),))]
