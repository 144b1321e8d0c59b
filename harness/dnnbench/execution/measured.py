"""What a recorded run measured: its cells, and their visits as the statistics take them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..protocol.arm import Arm, is_twin, twin_of
from ..protocol.device import Device
from ..protocol.dtypes import DType
from ..protocol.keys import CaseKey, CellKey
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
    spoilt_generations,
)
from ..stats.flags import GPU_SHARED, GPU_SLOWED, PAUSED, PRESSURE, STEAL, THROTTLED
from ..stats.stopping import FIRST_LOOK
from ..store.frames import records
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
CASE = ("workload", "spec_hash", "batch_size")
AUDITED = Phase.INFER
"""The phase that a bench's self-audit calls."""


@dataclass(frozen=True)
class Measured:
    """One run; `cells` is the store's frame without the control arm and the base's twin, `visits` are those of a cell_id."""

    run: dict[str, Any]
    cells: "pd.DataFrame"
    visits: dict[str, Visits]
    control: Visits | None
    twins: "pd.DataFrame"
    """The rows of the base's twin; empty where the run had none."""
    facts: tuple[GenerationFacts, ...] = ()
    """What each generation tells besides times, in their order."""
    generations: tuple[int, ...] = ()
    """Their numbers."""

    @cached_property
    def settings(self) -> RunSettings:
        """What the run was asked and decided."""
        return run_settings(self.run["settings"])

    @property
    def base(self) -> str | None:
        """The arm that ratios refer to, as the run recorded it; else its first."""
        return self.settings.base or next(iter(self.cells["arm"]), None)

    @property
    def theta(self) -> float:
        """The dead zone of verdicts, a share."""
        return self.settings.theta

    @cached_property
    def dropped(self) -> dict[tuple, np.ndarray]:
        """Rounds that met contention, by case (workload, spec_hash, batch_size): all arms leave them out.

        A case without one clean round keeps them all, since a time under contention is better than none; `spoilt`.
        """
        cases = self.cells.groupby(list(CASE), sort=False)["cell_id"]
        return {
            case: NOTHING if spoilt else contended_rounds(self._visits_of(cells))
            for case, cells in cases
            for spoilt in [case in self.spoilt]
        }

    @cached_property
    def spoilt(self) -> set[tuple]:
        """Cases of which every round met contention: no verdict."""
        cases = self.cells.groupby(list(CASE), sort=False)["cell_id"]
        return {case for case, cells in cases if all_contended(self._visits_of(cells))}

    def _visits_of(self, cells) -> list[Visits]:
        return [self.visits[cell] for cell in cells if cell in self.visits]

    @cached_property
    def spoilt_generations(self) -> list[int]:
        """Generations that lost more than half their rounds to contention."""
        return spoilt_generations(list(self.visits.values()))

    @cached_property
    def _bases(self) -> dict[tuple, Any]:
        """The base's row of `cells`, by case and phase."""
        return {(*case_of(row), row.phase): row for row in self.cells.itertuples() if row.arm == self.base}

    def not_ranked(self, cell) -> str:
        """Why a row of `cells` cannot be held against the base's; empty if it can."""
        base = self._bases.get((*case_of(cell), cell.phase))
        if cell.unequal:
            return f"not ranked: {cell.unequal}"
        if cell.status == "failed" or cell.cell_id not in self.visits:
            return f"not ranked: {cell.reason or cell.status}"
        if base is None or base.cell_id not in self.visits or base.status == "failed":
            return f"not ranked: the base {self.base} was not measured here"
        if base.unequal:
            return f"not ranked: the base {self.base} {base.unequal}"
        if cell.rank_group != base.rank_group:
            return f"not ranked: measured as {cell.rank_group}, the base as {base.rank_group}"
        return ""

    def objection(self, cell) -> str:
        """What overrules any verdict on a row of `cells`: what speaks against its time, or against the base's."""
        base = self._bases.get((*case_of(cell), cell.phase))
        return self.time_doubt(cell) or (self.time_doubt(base) if base is not None else "")

    def time_doubt(self, cell) -> str:
        """What speaks against the time of a row of `cells`: disturbed rounds, a bench that contradicts itself."""
        if case_of(cell) in self.spoilt:
            return self._disturbance(cell)
        key = key_of(cell)
        audits = [self.first_facts.cell(key).rate_audit]
        if cell.phase == AUDITED:
            audits.insert(0, self.first_facts.program(key.program).audit)
        faults = [fault for audit in audits if audit is not None for fault in audit.faults]
        return f"a bench contradicts itself: {cell.arm}: {'; '.join(faults)}" if faults else ""

    @property
    def compile_caches(self) -> dict[int, str]:
        """What the workers of each generation found in their compile caches."""
        return {number: facts.compile_cache for number, facts in zip(self.generations, self.facts, strict=True)}

    @property
    def first_facts(self) -> GenerationFacts:
        """What the first generation tells, the one that takes audits, peaks and energy."""
        return self.facts[0] if self.facts else GenerationFacts()

    def _disturbance(self, cell) -> str:
        """That every round of the cell's case was disturbed, with the load before the run and what the kernel counted."""
        system = self.first_facts.system
        load, cpus = system.get("load_1min"), system.get("affinity")
        alike = [other.cell_id for other in self.cells.itertuples() if case_of(other) == case_of(cell)]
        counted = np.bitwise_or.reduce(np.concatenate([visits.flags for visits in self._visits_of(alike)]))
        by = [f"load {load:.0f} on {len(cpus)} CPUs"] if load is not None and cpus else []
        by += [name for flag, name in DISTURBANCES.items() if counted & flag]
        told = f" ({', '.join(by)})" if by else ""
        return f"{SPOILT}{told}; try a quieter moment"

    def generation_times_s(self, cell) -> np.ndarray:
        """Seconds a call of a row of `cells` that has visits: the median of each generation's kept rounds."""
        kept = self.visits[cell.cell_id].without(self.dropped[case_of(cell)])
        return np.array([np.median(kept.call_s[kept.generation == g]) for g in np.unique(kept.generation)])

    def against_base(self, cell) -> Pairs:
        """The log pairs with the base of a row of `cells` that is ranked."""
        base = self._bases[*case_of(cell), cell.phase]
        return log_pairs(self.visits[cell.cell_id], self.visits[base.cell_id], self.dropped[case_of(cell)])

    def ranked(self) -> list[Any]:
        """Rows of `cells` that can be held against the base's."""
        return [row for row in self.cells.itertuples() if row.arm != self.base and not self.not_ranked(row)]

    def recorded(self, cell) -> Recorded:
        """A row of `cells` that has visits, ready to be compared with another run's."""
        dropped = self.dropped[case_of(cell)]
        return Recorded(self.visits[cell.cell_id], self.control, self.run["machine_id"], dropped)


def measured(store: Store, run_id: str) -> Measured:
    """Read a run with all its visits."""
    (run,) = records(store.runs(run_id))
    cells = store.cells(run_id)
    settings = run_settings(run["settings"])
    visits = _without_replaced(by_cell(store.samples(cells["cell_id"])), settings)
    (yardstick,) = [*cells.loc[cells["arm"] == CONTROL, "cell_id"], None][:1]
    twin = cells["arm"] == twin_of(settings.base or "")
    others = cells[(cells["arm"] != CONTROL) & ~twin].reset_index(drop=True)
    generations = records(store.generations(run_id))
    facts = facts_of(cells, [row["facts"] for row in generations])
    numbers = tuple(row["generation"] for row in generations)
    return Measured(run, others, visits, visits.get(yardstick), cells[twin], facts, numbers)


def facts_of(cells: "pd.DataFrame", generations: Iterable[Mapping[str, Any]]) -> tuple[GenerationFacts, ...]:
    """Of a run's generations, from what the store has of them.  cells: the store's frame."""
    keys = [key_of(cell) for cell in cells.itertuples() if cell.arm != CONTROL]
    arms = dict(zip(cells.loc[cells["arm"] != CONTROL, "arm"], (key.arm for key in keys), strict=True))
    cases = dict.fromkeys(key.case for key in keys)
    return tuple(read(found, arms, cases) for found in generations)


def key_of(cell) -> CellKey:
    """What names a row of `cells`."""
    arm = Arm(
        cell.backend,
        cell.mode,
        Device.parse(cell.device),
        DType(cell.dtype),
        int(cell.threads),
        cell.environment or "",
        twin=is_twin(cell.arm),
    )
    return CellKey(arm, CaseKey(cell.workload, int(cell.batch_size)), Phase(cell.phase))


def case_of(cell) -> tuple:
    """(workload, spec_hash, batch_size) of a row of `cells`."""
    return tuple(getattr(cell, name) for name in CASE)


def _without_replaced(visits: dict[str, Visits], settings: RunSettings) -> dict[str, Visits]:
    """A run with more generations than it planned replaced spoilt ones, which no longer count.

    One that planned none had the noise decide, and can spare as many as long as six are left.
    """
    present = {int(g) for v in visits.values() for g in np.unique(v.generation)}
    planned = settings.planned_generations(len(present))
    spare = min(len(present) - FIRST_LOOK, MOST_REPLACED) if planned is None else len(present) - planned
    if spare <= 0:
        return visits
    replaced = spoilt_generations(list(visits.values()))[:spare]
    return {cell: v.without(v.keys[np.isin(v.generation, replaced)]) for cell, v in visits.items()}
