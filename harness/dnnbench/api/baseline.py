"""Baselines in a project's git: what the command `baseline` calls."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..errors import UsageError
from ..execution.measured import measured
from ..report.outcomes.baseline import baseline_sections
from ..report.section import Section
from ..store.store import open_store
from ..track.baseline import MOST_RUNS, Acceptance, Baseline, baseline_of
from ..track.baseline_check import Outcome, Row, held_against
from ..track.baseline_file import file_of, read_baseline, write_baseline
from .showing import Shown


@dataclass(frozen=True)
class Held(Shown):
    """A run held against the baseline of its machine's class."""

    run: str
    file: Path
    rows: tuple[Row, ...]

    @property
    def changes(self) -> list[Row]:
        """What an update has to accept: everything but times."""
        return [row for row in self.rows if row.outcome.is_change]

    @property
    def failing(self) -> set[Outcome]:
        """What speaks against the run."""
        return {row.outcome for row in self.rows if row.outcome.fails}

    def sections(self) -> Sequence[Section]:
        """What changed; every figure."""
        return baseline_sections([asdict(row) for row in self.rows], str(self.file))


def saved(run: str, folder: Path, store: str) -> tuple[Path, Baseline]:
    """A new baseline of a run; UsageError where there is one already."""
    run_id, fresh = _read(run, store)
    file = file_of(folder, fresh.machine_class)
    if file.exists():
        raise UsageError(
            f"baseline {file} exists already; dnnbench baseline update {run_id} says what it would "
            "change"
        )
    write_baseline(file, fresh)
    return file, fresh


def held(run: str, folder: Path, store: str) -> Held:
    """A run against the baseline of its class; StoreError where that is missing or damaged."""
    run_id, fresh = _read(run, store)
    file = file_of(folder, fresh.machine_class)
    return Held(run_id, file, tuple(held_against(read_baseline(file), fresh)))


def updated(run: str, folder: Path, store: str, reason: str) -> tuple[Held, bool]:
    """(what a run changes, whether it was written).

    Changed figures are written with a reason alone, which the file keeps; a run's times are added
    without one, once.
    """
    result = held(run, folder, store)
    if result.changes and not reason:
        return result, False
    _, fresh = _read(run, store)
    before = read_baseline(result.file)
    write_baseline(result.file, _merged(before, fresh, result, reason))
    return result, True


def _merged(before: Baseline, fresh: Baseline, result: Held, reason: str) -> Baseline:
    """The run's cells in place of the baseline's, with the times of both."""
    is_counted = result.run in before.timed_runs
    cells = {}
    for name, cell in fresh.cells.items():
        old = before.cells.get(name)
        if old is None:
            cells[name] = cell
        else:
            cells[name] = replace(old, figures=cell.figures).with_times(
                () if is_counted else cell.times
            )
    runs = before.timed_runs if is_counted else (*before.timed_runs, result.run)
    accepted = before.accepted
    if result.changes:
        when = f"{datetime.now(UTC):%Y-%m-%d}"
        accepted += (Acceptance(result.run, when, reason, len(result.changes)),)
    return replace(before, cells=cells, timed_runs=runs[-MOST_RUNS:], accepted=accepted)


def _read(run: str, store: str) -> tuple[str, Baseline]:
    with open_store(store, create=False) as opened:
        recorded = measured(opened, opened.find_run(run))
        return recorded.run.run_id, baseline_of(opened, recorded)
