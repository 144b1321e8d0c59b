"""What a report is about: sections of one run after the other, and of all together."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..store.store import Store
from . import words
from .builders import sections_of
from .evidence import Evidence, gather
from .machines_section import machines_section
from .section import Section

BY = ("machine",)


@dataclass(frozen=True)
class Part:
    """Sections of one run, or of all together, under a name."""

    name: str
    prefix: str
    """Before the id of each of its sections, which together name its place in the page."""
    sections: tuple[Section, ...]
    heading: bool
    """Whether its name stands above it."""


def gathered(stores: Sequence[Store], runs: Sequence[str], by: str | None = None) -> list[Evidence]:
    """Each run of the store in its place; UsageError for a `by` that there is not."""
    if by is not None and by not in BY:
        raise UsageError(f"report: got by={by!r}, expected {' or '.join(BY)}")
    return [gather(store, run_id) for store, run_id in zip(stores, runs, strict=True)]


def parts_of(runs: Sequence[Evidence], by: str | None = None) -> list[Part]:
    """What the runs share, where that is asked for, then each run."""
    several = len(runs) > 1
    parts = [
        Part(
            name=f"Run on {run.machine_name}",
            prefix=f"{number}-",
            sections=tuple(sections_of(run)),
            heading=several,
        )
        for number, run in enumerate(runs, 1)
    ]
    if by is None:
        return parts
    return [Part("Machines side by side", "", (machines_section(runs),), False), *parts]


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
