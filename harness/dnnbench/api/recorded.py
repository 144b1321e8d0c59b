"""A recorded run, as `dnnbench.run` and `dnnbench.load` give it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..report.builders import sections_of
from ..report.evidence import Evidence, gather
from ..report.markdown import markdown
from ..store.patience import NONE, Patience
from ..store.run_rows import RunRow
from ..store.store import Store, open_store
from .frames import cells_frame, machine_frame, samples_frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Content:
    """All that is read of a run: once, whatever becomes of its store."""

    evidence: Evidence
    samples: "pd.DataFrame"
    findings: "pd.DataFrame"
    figures: "pd.DataFrame"


def read_content(store: Store, run_id: str) -> Content:
    """From an open store."""
    evidence = gather(store, run_id)
    visits = store.samples(list(evidence.cells["cell_id"]))
    samples = samples_frame(evidence.cells, visits)
    return Content(evidence, samples, store.findings(run_id), store.figures(run_id))


class Run:
    """A recorded run as pandas frames, read when one is first looked at.

    A notebook shows the answer; `to_markdown` gives all as Markdown, `report` writes the page.
    """

    def __init__(
        self, target: str | Path, place: str, row: RunRow, content: Content | None = None
    ) -> None:
        """target: as `load` takes it, a password included; place: the same as it may be shown."""
        self.target, self.store, self._row = target, place, row
        if content is not None:
            self.__dict__["_content"] = content

    @property
    def run_id(self) -> str:
        """By which its store knows it."""
        return self._row.run_id

    @property
    def label(self) -> str | None:
        """The name that the user gave it, if any."""
        return self._row.label

    @property
    def status(self) -> str:
        """complete, interrupted, failed, or running."""
        return self._row.status

    @property
    def created(self) -> str:
        """When it began: UTC, ISO 8601."""
        return self._row.created

    @property
    def command(self) -> str:
        """The call, or the command line, that asked for it."""
        return " ".join(self._row.command)

    @property
    def cells(self) -> "pd.DataFrame":
        """A row a cell: time, interval, ratio to the base, verdict, throughput, memory, status."""
        evidence = self._content.evidence
        return cells_frame(evidence.cells, evidence.measured.settings.units)

    @property
    def samples(self) -> "pd.DataFrame":
        """A row a visit of a cell: its `calls` took `seconds` together, `call_s` each."""
        return self._content.samples

    @property
    def agreement(self) -> "pd.DataFrame":
        """A row a check against the reference: the worst tensor of each kind."""
        return self._content.evidence.agreement

    @property
    def findings(self) -> "pd.DataFrame":
        """A row a cell of a candidate, of a run of `gate`: ratio, interval, p, verdict, reason, in
        the stage that the run was.
        """
        return self._content.findings

    @property
    def figures(self) -> "pd.DataFrame":
        """A row a figure of a cell in a generation, of a gate and of `run(figures=True)`: name,
        value, unit, kind, or the reason why there is none.
        """
        return self._content.figures

    @property
    def epochs(self) -> "pd.DataFrame":
        """A row an epoch, of a run of `train`."""
        return self._content.evidence.epochs

    @property
    def machine(self) -> "pd.DataFrame":
        """A row a fact about the machine that measured: `fact`, `value`."""
        return machine_frame(self._content.evidence.machine)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided while planning, and what was left out, with the reason."""
        settings = self._content.evidence.measured.settings
        skipped = (f"{name}: {reason}" for name, reason in settings.skipped.items())
        return (*settings.notes, *skipped)

    @property
    def evidence(self) -> Evidence:
        """All that the reports are written from."""
        return self._content.evidence

    def _repr_html_(self) -> str:
        """The answer, as a notebook shows it."""
        from ..report.html import section_html
        from ..report.palette import places

        answer, *_ = sections_of(self.evidence)
        return section_html(answer, places(self.evidence.backends))

    def to_markdown(self) -> str:
        """Every section: the answer first, then what it rests on, and the runs before this one."""
        return markdown(sections_of(self._with_history()))

    def report(self, path: str | Path) -> Path:
        """Write the run's offline HTML page; StoreError where the file cannot be written."""
        from ..report.html import page_of
        from ..report.writing import write_report

        return write_report(path, page_of([self._with_history()], at=path))

    def _with_history(self) -> Evidence:
        """The evidence beside the runs before this one, as long as their store can be read."""
        from ..track.run_history import with_history

        try:
            with open_store(self.target, create=False) as store:
                return with_history(self.evidence, store)
        except StoreError:  # what was read of the run itself is enough for a page
            return self.evidence

    def __repr__(self) -> str:
        named = f" ({self.label})" if self.label else ""
        return f"<Run {self.run_id}{named}: {self.status}, {self.command}>"

    @cached_property
    def _content(self) -> Content:
        with open_store(self.target, create=False) as store:
            return read_content(store, self.run_id)


def read_run(target: str | Path, run_id: str, patience: Patience = NONE) -> Run:
    """A run with all its content, from the store at `target`."""

    def attempt() -> Run:
        with open_store(target, create=False, patience=patience) as store:
            content = read_content(store, run_id)
            return Run(target, store.place, content.evidence.run, content)

    return patience.outlast(attempt)
