"""What a report is about: sections of one run after the other, and of all together."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..store.store import Store
from . import words
from .across.by import PLURAL
from .across.compared import SideBySide
from .across.part import sections as across_sections
from .builders import sections_of
from .disclosure import disclosure
from .evidence import Evidence, gather
from .section import Section

MOST_WHOLE = 4
"""Runs whose own sections follow those of all together; of more, their own reports tell."""


@dataclass(frozen=True)
class Part:
    """Sections of one run, or of all together, under a name."""

    name: str
    prefix: str
    """Before the id of each of its sections, which together name its place in the page."""
    sections: tuple[Section, ...]
    heading: bool
    """Whether its name stands above it."""
    run: Evidence | None = None
    """The run that it is about; None where it is about all together."""


def gathered(stores: Sequence[Store], runs: Sequence[str]) -> list[Evidence]:
    """Each run of the store in its place."""
    return [gather(store, run_id) for store, run_id in zip(stores, runs, strict=True)]


def parts_of(runs: Sequence[Evidence], across: SideBySide | None = None) -> list[Part]:
    """What the runs share, where that is wanted, then each run; of many sides what they share
    alone.
    """
    if across is not None:
        title = f"{PLURAL[across.by].capitalize()} side by side"
        shared = Part(title, "", tuple(across_sections(across)), False)
        newest = list({side.newest.run.run_id: side.newest for side in across.sides}.values())
        return [shared, *(parts_of(newest) if len(newest) <= MOST_WHOLE else [])]
    several = len(runs) > 1
    return [
        Part(
            name=f"Run on {run.machine_name}",
            prefix=f"{number}-",
            sections=_sections(run),
            heading=several,
            run=run,
        )
        for number, run in enumerate(runs, 1)
    ]


def _sections(run: Evidence) -> tuple[Section, ...]:
    """All of a run, and what they tell of who ran it."""
    sections = sections_of(run)
    return (*sections, disclosure(run, sections))


def title_of(runs: Sequence[Evidence]) -> str:
    """The workloads, timed ones first."""
    timed = [case.workload for run in runs for case in run.cases]
    learned = [workload for run in runs for workload in run.epochs["workload"]]
    return words.listed(list(dict.fromkeys([*timed, *learned]))) or "nothing measured"


def origin_of(runs: Sequence[Evidence]) -> str:
    """Where and when they were measured, with what: a tab or an attachment is told apart by it."""
    machines = list(dict.fromkeys(run.machine_name for run in runs))
    dates = list(dict.fromkeys(run.run.created[:10] for run in runs))
    versions = list(dict.fromkeys(run.run.dnnbench_version for run in runs))
    return f"{words.listed(machines)}, {words.listed(dates)}, dnnbench {words.listed(versions)}"
