"""All that a report tells of one run, read from the store once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agreement.status import Status
from ..execution.agreement_rows import AgreementRow, agreement_rows
from ..execution.facts import GenerationFacts, ProgramFacts
from ..execution.gate_cells import Gate
from ..execution.gate_findings import read_gate
from ..execution.measured import Measured, measured
from ..execution.peaks import Place
from ..execution.twins import Twin, twin_doubt, twins_of
from ..protocol.keys import CaseKey, ProgramKey
from ..spec.units import EXAMPLES, Unit
from ..store.frames import records
from ..store.run_rows import RunRow
from ..store.store import Store
from ..worker.audit import late_fault
from .answers import answer_faults
from .break_even import BreakEven, break_evens
from .memory import Memory, memory_of
from .purposes import Purpose, PurposeKey, purposes
from .roofline import Roof, RoofShare, above_the_peak, roofs, shares
from .scaling import Sweep, sweeps
from .section import Section
from .standing import Standings
from .starts import Start, first_ever, starts_of, usual
from .steps import Piece, Steps, pieces_of, steps_of
from .summary import summary_of, time_doubts
from .summary_rows import CellSummary, cell_summaries
from .words import nothing_decided

if TYPE_CHECKING:
    import pandas as pd

HEADLINES = {"train_step": "training", "infer": "inference"}
"""The phases that people choose a framework by, first in every table."""


@dataclass(frozen=True)
class Evidence:
    """One run; `cells` is the `cells` frame joined with `summary`, the control arm left out."""

    measured: Measured
    machine: dict[str, Any]
    cells: "pd.DataFrame"
    steps: list[Steps]
    pieces: list[Piece]
    starts: list[Start]
    purposes: list[Purpose]
    agreement: "pd.DataFrame"
    epochs: "pd.DataFrame"
    programs: Mapping[ProgramKey, ProgramFacts]
    """Facts of each program in the last generation."""
    facts: GenerationFacts
    """What the first generation tells besides times: peaks, audits, energy, the fairness audit."""
    compiled_late: dict[ProgramKey, int]
    """Most programs that any generation compiled after its warm-up."""
    answer_faults: dict[ProgramKey, tuple[str, ...]]
    """Answers that changed within a generation, or from one process to another."""
    time_doubts: dict[str, str]
    """What speaks against the time of a cell, by cell_id."""
    gate: Gate | None = None
    """The gate that the run screened or confirmed."""
    folder: Path | None = None
    """Of the store; None where it is no file."""
    history: Section | None = None
    """Its cells over the runs of its machine; None where they are too few, or were not read."""

    @property
    def run(self) -> RunRow:
        """The row of frame `runs`."""
        return self.measured.run

    @property
    def base(self) -> str:
        """The arm that ratios refer to, by name; empty for a run without an arm."""
        return self.measured.base or ""

    @cached_property
    def rows(self) -> list[CellSummary]:
        """Every cell, in the order of the plan."""
        return cell_summaries(self.cells)

    @cached_property
    def cases(self) -> list[CaseKey]:
        """In the order of the plan."""
        return list(dict.fromkeys(row.case for row in self.rows))

    def of_case(self, case: CaseKey) -> list[CellSummary]:
        """Cells of a case by phase, what matters most first; in each the fastest first, what has no
        time last.
        """
        return self._by_case.get(case, [])

    @cached_property
    def _by_case(self) -> dict[CaseKey, list[CellSummary]]:
        cases: dict[CaseKey, list[CellSummary]] = {}
        for row in self.rows:
            cases.setdefault(row.case, []).append(row)
        return {case: _fastest_first(rows) for case, rows in cases.items()}

    @cached_property
    def checks(self) -> list[AgreementRow]:
        """Every comparison with the reference, in the order of the cells, not of their names."""
        names = [*self.cells["workload"], *self.cells["arm"]]
        order = {name: place for place, name in enumerate(names)}
        return sorted(
            agreement_rows(records(self.agreement)),
            key=lambda row: (order.get(row.workload, -1), order.get(row.arm, -1), row.dtype),
        )

    @cached_property
    def _statuses(self) -> dict[tuple[str, str], Status]:
        """The worst of all checks, by arm and workload."""
        ascending = sorted(self.checks, key=lambda row: row.badness)
        return {(row.arm, row.workload): row.status for row in ascending}

    def unit_of(self, workload: str) -> Unit:
        """What it works through: tokens, images, or examples."""
        return self.measured.settings.units.get(workload, EXAMPLES)

    def agrees(self, arm: str, workload: str) -> Status | None:
        """What became of the arm's checks on that workload, the worst of all; None if there was
        none.
        """
        return self._statuses.get((arm, workload))

    @cached_property
    def _backends(self) -> dict[str, str]:
        """Of each arm: of the cells, and as stored with the run for those that have none."""
        stored = {name: arm.backend for name, arm in self.measured.settings.arms.items()}
        return stored | {row.arm: row.backend for row in self.rows}

    def backend_of(self, arm: str) -> str:
        """The backend of an arm; the arm's own name where an older store does not tell."""
        return self._backends.get(arm, arm)

    @property
    def backends(self) -> set[str]:
        """Those of all arms that any section shows."""
        names = [*self._backends, *self.agreement["arm"], *self.epochs["arm"]]
        return {self.backend_of(name) for name in names}

    @property
    def roofs(self) -> dict[Place, Roof]:
        """The best rates of each device and type."""
        return roofs(self.facts.machine_peaks)

    @cached_property
    def shares(self) -> list[RoofShare]:
        """How near each training step and inference comes to them."""
        return shares(self.cells, self.roofs, self.facts, self.time_doubts)

    @cached_property
    def no_rates(self) -> set[PurposeKey]:
        """Cells whose rate is no figure."""
        return {(s.workload, s.batch_size, s.arm, s.phase) for s in self.shares if s.doubt}

    @property
    def above_the_peak(self) -> list[str]:
        """What is to be said of cells above the roof."""
        return above_the_peak(self.shares)

    @property
    def break_evens(self) -> list[BreakEven]:
        """Which arm overtakes the base, or the base it, after how many calls; again for empty
        caches where they were met.
        """
        empty = first_ever(self.starts)
        first = [replace(p, start_s=empty.get(p.key)) for p in self.purposes]
        return [
            *break_evens(self.purposes, self.measured.base),
            *break_evens(first, self.measured.base, "from empty compile caches"),
        ]

    @property
    def doubts(self) -> list[str]:
        """What the benches found wrong with themselves, answers that changed, and programs that
        were compiled while they were timed.
        """
        audits = [(key, facts.audit) for key, facts in self.facts.programs.items() if facts.audit]
        faults = [f"{key}: {fault}" for key, audit in audits for fault in audit.faults]
        for key, of_key in self.answer_faults.items():
            faults += [f"{key}: {fault}" for fault in of_key]
        return faults + self.late_faults()

    def late_faults(self, case: CaseKey | None = None) -> list[str]:
        """Programs that were compiled while they were timed, by arm and case; of one case where it
        is given.
        """
        return [
            f"{key}: {late_fault(count)}"
            for key, count in self.compiled_late.items()
            if case in (None, key.case)
        ]

    @property
    def nothing_decided(self) -> str:
        """Why the run gave no verdict at all; empty where it gave one, or had nothing to give it
        of.
        """
        return nothing_decided(self.rows, self.base, self.measured.theta)

    @property
    def fused(self) -> list[str]:
        """Steps of training that cost less than nothing for certain, in words."""
        return [
            f"{steps.workload}/{steps.batch_size} {steps.arm}: {meaning}"
            for steps in self.steps
            for meaning in steps.fused.values()
        ]

    @cached_property
    def memory(self) -> list[Memory]:
        """What each training step and inference holds, by part."""
        return memory_of(self.measured.cells, self.facts)

    @cached_property
    def sweeps(self) -> list[Sweep]:
        """What the run varied by itself, and what came of it."""
        return sweeps(self.measured)

    @cached_property
    def standings(self) -> Standings:
        """Who is first, case by case."""
        return Standings(self.measured)

    @cached_property
    def twins(self) -> list[Twin]:
        """The base against itself, where the run measured it twice."""
        return twins_of(self.measured)

    def doubt_of(self, cell_id: str) -> str:
        """What speaks against a time, or against every verdict of the run; empty if nothing."""
        return self.time_doubts.get(cell_id) or twin_doubt(self.twins)

    @property
    def system(self) -> Mapping[str, Any]:
        """How the machine was set up when the first generation began; what is known of it last
        where no generation tells.
        """
        return self.facts.system or self.machine["facts"].get("system", {})

    @property
    def noop_call_s(self) -> float | None:
        """Seconds of a call of the no-op program: the harness's own, part of every time."""
        return self.facts.noop_call_s.median if self.facts.noop_call_s else None

    @property
    def machine_name(self) -> str:
        """Its label, else its class, else its processor, else the beginning of its identity."""
        hardware = self.machine["facts"].get("hardware", {})
        named = (
            self.machine["machine_label"]
            or self.machine["machine_class"]
            or hardware.get("cpu_model")
        )
        return str(named or self.machine["machine_id"][:8])


def gather(store: Store, run_id: str) -> Evidence:
    """Read a run and reckon its statistics."""
    run = measured(store, run_id)
    machines = store.machines()
    (machine,) = records(machines[machines["machine_id"] == run.run.machine_id])
    cells = summary_of(run)
    starts = starts_of(cells, store.first_calls(run_id), run.compile_caches)
    return Evidence(
        measured=run,
        machine=machine,
        cells=cells,
        steps=steps_of(run),
        pieces=pieces_of(run),
        starts=starts,
        purposes=purposes(cells, usual(starts)),
        agreement=store.agreement(run_id),
        epochs=store.epochs(run_id),
        programs=run.facts[-1].programs if run.facts else {},
        facts=run.first_facts,
        compiled_late=_compiled_late(run.facts),
        answer_faults=answer_faults(run.facts),
        time_doubts=time_doubts(run),
        gate=read_gate(store, run_id),
        folder=store.folder,
    )


def _compiled_late(generations: Sequence[GenerationFacts]) -> dict[ProgramKey, int]:
    most: Counter[ProgramKey] = Counter()
    for facts in generations:
        most |= Counter({key: program.compiled_late for key, program in facts.programs.items()})
    return dict(most)


def _fastest_first(rows: Sequence[CellSummary]) -> list[CellSummary]:
    """By phase, in each the fastest first."""
    order = by_headline(row.phase for row in rows)
    slow = float("inf")
    return sorted(
        rows,
        key=lambda row: (order.index(row.phase), slow if row.call_s is None else row.call_s),
    )


def by_headline(phases: Iterable[str]) -> list[str]:
    """Phases in the order that people ask for them: a training step, inference, then the rest as
    planned.
    """
    present = list(dict.fromkeys(phases))
    return [p for p in HEADLINES if p in present] + [p for p in present if p not in HEADLINES]
