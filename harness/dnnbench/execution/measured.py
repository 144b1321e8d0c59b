"""What a recorded run measured: its cells, and their visits as the statistics take them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..protocol.arm import Arm, twin_of
from ..protocol.keys import CaseKey
from ..spec.phases import Phase
from ..stats.apart import Recorded
from ..stats.estimates import (
    NOTHING,
    Pairs,
    Visits,
    all_contended,
    by_cell,
    contended_rounds,
    log_pairs,
    single_calls,
    spoilt_generations,
)
from ..stats.flags import GPU_SHARED, GPU_SLOWED, PAUSED, PRESSURE, STEAL, THROTTLED
from ..stats.stopping import FIRST_LOOK
from ..store.figure_rows import FigureRow, figure_rows
from ..store.frames import records
from ..store.run_rows import CellRow, RunRow, cell_rows, run_rows
from ..store.store import Store
from .facts import GenerationFacts
from .plan import CONTROL
from .stored_facts import read
from .stored_settings import RunSettings, run_settings

if TYPE_CHECKING:
    import pandas as pd

MOST_REPLACED = 2
"""Generations that a run may replace because contention spoilt them."""
SPOILT = "every round was disturbed"
"""Why a case of `Measured.spoilt` has no verdict; `Measured.objection` adds by what."""
DISTURBANCES = {
    STEAL: "stolen CPU time",
    PRESSURE: "other work on the CPUs",
    THROTTLED: "a CPU quota",
    PAUSED: "a pause of the run",
    GPU_SLOWED: "a slowed GPU",
    GPU_SHARED: "other work on the GPU",
}
"""What a contention flag stands for."""
AUDITED = Phase.INFER
"""The phase that a bench's self-audit calls."""


@dataclass(frozen=True)
class Measured:
    """One run without the control arm and the base's twin.

    `frame` is the store's of `cells`, `visits` those of a cell_id.
    """

    run: RunRow
    frame: "pd.DataFrame"
    cells: tuple[CellRow, ...]
    visits: dict[str, Visits]
    control: Visits | None
    twins: tuple[CellRow, ...]
    """The rows of the base's twin; empty where the run had none."""
    singles: Mapping[str, Visits] = field(default_factory=dict)
    """Calls that were timed one by one, of a cell_id; empty where the run was not asked for any."""
    facts: tuple[GenerationFacts, ...] = ()
    """What each generation tells besides times, in their order."""
    generations: tuple[int, ...] = ()
    """Their numbers."""
    figures: tuple[FigureRow, ...] = ()
    """What was counted of calls, in every generation; empty where the run was not asked to."""

    @cached_property
    def settings(self) -> RunSettings:
        """What the run was asked and decided."""
        return run_settings(self.run.settings)

    @property
    def base(self) -> str | None:
        """The arm that ratios refer to, as the run recorded it; else its first."""
        return self.settings.base or next((cell.arm for cell in self.cells), None)

    @property
    def theta(self) -> float:
        """The dead zone of verdicts, a share."""
        return self.settings.theta

    @cached_property
    def dropped(self) -> dict[CaseKey, npt.NDArray[np.int64]]:
        """Rounds that met contention, by case: all arms leave them out.

        A case without one clean round keeps them all, since a time under contention is better
        than none; `spoilt`.
        """
        cases = dict.fromkeys(cell.case for cell in self.cells)
        return {
            case: NOTHING if case in self.spoilt else contended_rounds(self._visits_of(case))
            for case in cases
        }

    @cached_property
    def spoilt(self) -> set[CaseKey]:
        """Cases of which every round met contention: no verdict."""
        cases = {cell.case for cell in self.cells}
        return {case for case in cases if all_contended(self._visits_of(case))}

    def _visits_of(self, case: CaseKey) -> list[Visits]:
        """Of every cell of a case that was visited."""
        return [
            self.visits[cell.cell_id]
            for cell in self.cells
            if cell.case == case and cell.cell_id in self.visits
        ]

    @cached_property
    def spoilt_generations(self) -> list[int]:
        """Generations that lost more than half their rounds to contention."""
        return spoilt_generations(list(self.visits.values()))

    @cached_property
    def _in_place(self) -> dict[tuple[CaseKey, Phase, Arm], CellRow]:
        """Every cell by what names it."""
        return {(cell.case, cell.phase, cell.key.arm): cell for cell in self.cells}

    @cached_property
    def base_arm(self) -> Arm | None:
        """The arm that ratios refer to; None of a run without cells."""
        return next((cell.key.arm for cell in self.cells if cell.arm == self.base), None)

    def beside(self, cell: CellRow, arm: Arm) -> CellRow | None:
        """The cell of another arm in the same case and phase, if it is there."""
        return self._in_place.get((cell.case, cell.phase, arm))

    def base_of(self, cell: CellRow) -> CellRow | None:
        """The cell that its ratio refers to: the base's in the same case and phase, if any."""
        return None if self.base_arm is None else self.beside(cell, self.base_arm)

    def is_base(self, cell: CellRow) -> bool:
        """Whether ratios refer to it."""
        return cell.arm == self.base

    @cached_property
    def _by_id(self) -> dict[str, CellRow]:
        return {cell.cell_id: cell for cell in self.cells}

    def cell(self, cell_id: str) -> CellRow:
        """The cell of that id."""
        return self._by_id[cell_id]

    def not_ranked(self, cell: CellRow) -> str:
        """Why a cell cannot be held against the base's; empty if it can."""
        return self.not_comparable(cell, self.base_of(cell))

    def not_comparable(self, cell: CellRow, base: CellRow | None) -> str:
        """Why a cell cannot be held against `base`, the one its ratio would refer to; empty
        if it can.
        """
        named = self.base if base is None else base.arm
        if cell.unequal:
            return f"not ranked: {cell.unequal}"
        if cell.status == "failed" or cell.cell_id not in self.visits:
            return f"not ranked: {cell.reason or cell.status}"
        if base is None or base.cell_id not in self.visits or base.status == "failed":
            return f"not ranked: the base {named} was not measured here"
        if base.unequal:
            return f"not ranked: the base {named} {base.unequal}"
        if cell.rank_group != base.rank_group:
            return f"not ranked: measured as {cell.rank_group}, the base as {base.rank_group}"
        return ""

    def objection(self, cell: CellRow) -> str:
        """What overrules any verdict on a cell: what speaks against its time,
        or against the base's.
        """
        return self.objection_to(cell, self.base_of(cell))

    def objection_to(self, cell: CellRow, base: CellRow | None) -> str:
        """What speaks against the time of either of two cells; empty if nothing does."""
        return self.time_doubt(cell) or (self.time_doubt(base) if base is not None else "")

    def time_doubt(self, cell: CellRow) -> str:
        """What speaks against the time of a cell: disturbed rounds,
        a bench that contradicts itself.
        """
        if cell.case in self.spoilt:
            return self._disturbance(cell)
        audits = [self.first_facts.cell(cell.key).rate_audit]
        if cell.phase == AUDITED:
            audits.insert(0, self.first_facts.program(cell.key.program).audit)
        faults = list(chain.from_iterable(audit.faults for audit in audits if audit is not None))
        return f"a bench contradicts itself: {cell.arm}: {'; '.join(faults)}" if faults else ""

    @property
    def compile_caches(self) -> dict[int, str]:
        """What the workers of each generation found in their compile caches."""
        return {
            number: facts.compile_cache
            for number, facts in zip(self.generations, self.facts, strict=True)
        }

    @property
    def first_facts(self) -> GenerationFacts:
        """What the first generation tells, the one that takes audits, peaks and energy."""
        return self.facts[0] if self.facts else GenerationFacts()

    def _disturbance(self, cell: CellRow) -> str:
        """That every round of the cell's case was disturbed, with the load before the run and what
        the kernel counted.
        """
        system = self.first_facts.system
        load, cpus = system.get("load_1min"), system.get("affinity")
        flags = [visits.flags for visits in self._visits_of(cell.case)]
        counted = np.bitwise_or.reduce(np.concatenate(flags))
        by = [f"load {load:.0f} on {len(cpus)} CPUs"] if load is not None and cpus else []
        by += [name for flag, name in DISTURBANCES.items() if counted & flag]
        causes = f" ({', '.join(by)})" if by else ""
        return f"{SPOILT}{causes}; try a quieter moment"

    def generation_times_s(self, cell: CellRow) -> npt.NDArray[np.float64]:
        """Seconds a call of a cell that has visits: the median of each generation's kept rounds."""
        kept = self.visits[cell.cell_id].without(self.dropped[cell.case])
        return np.array(
            [np.median(kept.call_s[kept.generation == g]) for g in np.unique(kept.generation)]
        )

    def against_base(self, cell: CellRow) -> Pairs:
        """The log pairs with the base of a cell that is ranked."""
        base = self.base_of(cell)
        assert base is not None, f"{cell.key} has no base, and is not ranked"
        return self.pairs(cell, base)

    def pairs(self, cell: CellRow, base: CellRow) -> Pairs:
        """The log pairs of two cells of one case, both with visits."""
        return log_pairs(
            self.visits[cell.cell_id], self.visits[base.cell_id], self.dropped[cell.case]
        )

    def ranked(self) -> list[CellRow]:
        """Cells that can be held against the base's."""
        return [cell for cell in self.cells if not self.is_base(cell) and not self.not_ranked(cell)]

    def recorded(self, cell: CellRow) -> Recorded:
        """A row of `cells` that has visits, ready to be compared with another run's."""
        dropped = self.dropped[cell.case]
        return Recorded(self.visits[cell.cell_id], self.control, self.run.machine_id, dropped)


def measured(store: Store, run_id: str) -> Measured:
    """Read a run with all its visits."""
    (run,) = run_rows(store.runs(run_id))
    table = store.cells(run_id)
    settings = run_settings(run.settings)
    twin = twin_of(settings.base or "")
    samples = store.samples(table["cell_id"])
    visits = _without_replaced(by_cell(samples), settings)
    # A run without a control arm has none to divide by: no cell has an empty id.
    (control_id,) = [*table.loc[table["arm"] == CONTROL, "cell_id"], ""][:1]
    rows = cell_rows(table, twin)
    generations = records(store.generations(run_id))
    return Measured(
        run,
        frame=table[(table["arm"] != CONTROL) & (table["arm"] != twin)].reset_index(drop=True),
        cells=tuple(cell for cell in rows if not cell.key.arm.twin),
        visits=visits,
        control=visits.get(control_id),
        twins=tuple(cell for cell in rows if cell.key.arm.twin),
        singles=single_calls(samples),
        facts=facts_of(rows, [row["facts"] for row in generations]),
        generations=tuple(row["generation"] for row in generations),
        figures=tuple(figure_rows(store.figures(run_id))),
    )


def facts_of(
    cells: Iterable[CellRow], generations: Iterable[Mapping[str, Any]]
) -> tuple[GenerationFacts, ...]:
    """Of a run's generations, from what the store has of them.  cells: of the run."""
    arms = {cell.arm: cell.key.arm for cell in cells}
    cases = dict.fromkeys(cell.case for cell in cells)
    return tuple(read(stored, arms, cases) for stored in generations)


def _without_replaced(visits: dict[str, Visits], settings: RunSettings) -> dict[str, Visits]:
    """A run with more generations than it planned replaced spoilt ones, which no longer count.

    One that planned none had the noise decide, and can spare as many as long as six are left.
    """
    generations = [v.generation for v in visits.values()]
    present = np.unique(np.concatenate(generations)) if generations else ()
    planned = settings.planned_generations(len(present))
    spare = (
        min(len(present) - FIRST_LOOK, MOST_REPLACED) if planned is None else len(present) - planned
    )
    if spare <= 0:
        return visits
    replaced = spoilt_generations(list(visits.values()))[:spare]
    return {cell: v.without(v.keys[np.isin(v.generation, replaced)]) for cell, v in visits.items()}
