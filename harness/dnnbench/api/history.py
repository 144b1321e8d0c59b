"""dnnbench.history: how every cell fared from run to run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..execution import spelling
from ..execution.settings import STORE
from ..report.section import Section
from ..store.store import open_store
from ..track.history import History
from ..track.history import history as read_history
from ..track.history_rows import change_rows, point_rows
from ..track.outcome import history_sections
from ..track.series import Unit
from ..track.site import write_site
from .options import Texts, read, texts
from .showing import Shown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Trends(Shown):
    """Each cell of a machine over the runs of a store, and the change points in it."""

    history: History

    @property
    def points(self) -> "pd.DataFrame":
        """A row a cell and run: value and interval in the run's unit, what breaks the series there,
        and what speaks against the point.
        """
        import pandas as pd

        rows = [row for trend in self.history.trends for row in point_rows(trend)]
        return pd.DataFrame(rows)

    @property
    def change_points(self) -> "pd.DataFrame":
        """A row a change point, the newest first: its size with an interval, after selection, the
        runs and commits around it, what else changed.
        """
        import pandas as pd

        return pd.DataFrame(
            [change_rows(self.history, change) for change in self.history.change_points]
        )

    def site(self, folder: str | Path) -> list[Path]:
        """Write an index and a page for each workload; the files, the index first."""
        return write_site(self.history, folder)

    def sections(self) -> Sequence[Section]:
        """The trends in short with every change point; each cell's points."""
        return history_sections(self.history)


def history(
    workloads: Texts = (),
    *,
    machine: str = "",
    since: str = "",
    unit: str = "",
    store: str | Path = STORE,
) -> Trends:
    """Each cell's trend over the runs of one machine, in units of its run's control or base, or in
    seconds.

    workloads: those wanted, by default all.  machine: an id, its beginning or a label, by default
    that of the newest run.  since: a date, or `30d`.  unit: `control`, `base`, or `seconds` of
    runs that another tool recorded (`dnnbench import`); by default the newest run's.  Raises
    NothingMeasured where no run is left, UsageError for what the store does not have, StoreError
    where there is no store that can be read.
    """
    with open_store(store, create=False) as opened:
        trends = read_history(
            opened,
            texts("workloads", workloads),
            machine=machine,
            since=read("since", since, spelling.moment) if since else "",
            unit=_unit(unit) if unit else None,
        )
    return Trends(trends)


def _unit(text: str) -> Unit:
    return read("unit", text, lambda word: spelling.word(word, tuple(Unit)))
