"""dnnbench.compare: did anything become slower between two recorded runs?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..execution import spelling
from ..execution.settings import STORE
from ..report.outcomes.compare import comparison_sections
from ..report.section import Section
from ..store.store import open_store
from ..track.compare import RunComparison
from ..track.compare import compare as compare_runs
from .options import Number, read
from .recorded import Run
from .showing import Shown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two runs held against each other, cell by cell."""

    result: RunComparison
    fail_on: float | None

    @property
    def cells(self) -> "pd.DataFrame":
        """A row a cell that both runs have: base_s and new_s in seconds, ratio with interval,
        verdict, regression.
        """
        return self.result.cells

    @property
    def regressed(self) -> bool:
        """Whether a cell became slower for certain, by more than `fail_on`."""
        return self.result.regressed

    @property
    def unusable(self) -> str | None:
        """Why nothing could be judged; None where something was."""
        return self.result.unusable

    @property
    def notes(self) -> list[str]:
        """Cells that only one of the runs has, and what error the intervals hold."""
        result = self.result
        sides = ((result.base_run, result.only_base), (result.new_run, result.only_new))
        left_over = [f"only in {run}: {cell}" for run, cells in sides for cell in cells]
        judged = result.cells["ratio_low"].notna().any()
        return [*left_over, *([result.error] if judged else [])]

    def sections(self) -> Sequence[Section]:
        """How many cells changed, and the worst; every cell."""
        nothing = [f"nothing to judge: {self.unusable}"] if self.unusable else []
        return comparison_sections(self.cells, [*nothing, *self.notes])


def compare(
    base: str | Run,
    new: str | Run,
    *,
    fail_on: Number | None = None,
    store: str | Path | None = None,
) -> Comparison:
    """Compare run `new` with run `base`, cell by cell: ratios new / base, each over its run's
    control.

    base, new: a Run, or an id (or its beginning), a label, a git revision, `latest`.  fail_on: a
    share such as "5%"; a cell that is slower for certain by more than it is a regression.  store:
    where the runs are, by default that of a Run, else results/dnnbench.sqlite.  Raises StoreError
    for a run that is not there, UsageError for runs of two stores (`dnnbench merge` brings them
    together).
    """
    share = None if fail_on is None else read("fail_on", fail_on, spelling.share)
    return compared(_store_of(base, new, store), _name(base), _name(new), share)


def compared(store: str, base: str, new: str, fail_on: float | None) -> Comparison:
    """Compare two runs of a store by their names."""
    with open_store(store, create=False) as opened:
        base_run, new_run = opened.find_run(base), opened.find_run(new)
        return Comparison(compare_runs(opened, base_run, new_run, fail_on), fail_on)


def _name(run: str | Run) -> str:
    return run.run_id if isinstance(run, Run) else run


def _store_of(base: str | Run, new: str | Run, store: str | Path | None) -> str:
    """The one store that both runs lie in."""
    places = {str(one.target) for one in (base, new) if isinstance(one, Run)}
    places |= set() if store is None else {str(store)}
    if len(places) > 1:
        raise UsageError(
            "compare: the two runs lie in two stores; `dnnbench merge` brings them into one"
        )
    return places.pop() if places else STORE
