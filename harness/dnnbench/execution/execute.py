"""A run from its plan to its end: agreement, generations, the store.

What is measured is never lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..data.dataset import Dataset
from ..errors import StoreError
from ..host.clock import now
from ..host.machine import system
from ..protocol.arm import Arm
from ..protocol.keys import CaseKey, CellKey
from ..stats.stopping import enough
from ..store.aside import GenerationRows
from ..store.frames import records
from ..store.store import Store, utc_now
from .agreement_rows import Unproven, agreement_rows, undetermined, unproven
from .cache import CompileCaches, compile_caches
from .facts import WARM, AuditLine
from .fairness import fairness_audit, unequal
from .generation import Generation
from .keeping import Keeper
from .measured import measured
from .plan import Plan
from .plan_check import check_plan
from .profiling import PROFILES
from .record import Record, block_of
from .reporter import Reporter
from .run_cells import (
    cell_ids,
    changes_of,
    figure_rows,
    first_call_rows,
    frozen_calls,
    status_row,
)
from .settings import STORE
from .split import SoFar, split_of
from .stored_facts import stored


@dataclass
class Outcome:
    """How a run ended."""

    run_id: str
    failed: dict[CellKey, str] = field(default_factory=dict)
    unproven: dict[tuple[str, str], Unproven] = field(default_factory=dict)
    """By (arm, workload): not known to compute the same as the reference."""
    interrupted: bool = False
    visits_s: float = 0.0
    """Seconds of visits that its generations were given, which may be fewer than the settings'."""


class Execution:
    """Runs a plan into a store; `done` generations of an earlier sitting are not measured again."""

    def __init__(
        self,
        plan: Plan,
        datasets: Mapping[str, Dataset],
        store: Store,
        run_id: str,
        report: Reporter,
    ) -> None:
        self._plan, self._datasets, self._store, self._report = plan, datasets, store, report
        self._cells, self._control = cell_ids(store, run_id, plan)
        self._calls: dict[CellKey, int] = {}
        self._unsupported: dict[CellKey, str] = {}
        self._versions: dict[Arm, Mapping[str, str]] = {}
        self._keeper = Keeper(store, report)
        self._profiles = profiles_folder(store, run_id) if plan.settings.profile else None
        self.outcome = Outcome(run_id)

    def run(self) -> Outcome:
        """Agreement, then generations; Ctrl-C ends early and keeps everything."""
        status = "failed"
        try:
            if self._plan.settings.check:
                self._check()
            self._measure()
            status = "complete"
        except KeyboardInterrupt:
            if self._keeper.failed:
                raise
            self.outcome.interrupted = True
            status = "interrupted"
        except StoreError:
            self._keeper.failed = True
            raise
        finally:
            if not self._keeper.failed:
                self._settle_cells()
                self._store.finish_run(self.outcome.run_id, status)
        return self.outcome

    def _check(self) -> None:
        """Check, unless an earlier sitting of this run did."""
        run_id = self.outcome.run_id
        rows = agreement_rows(records(self._store.agreement(run_id)))
        if not rows:
            rows = check_plan(self._plan, self._datasets, self._report)
            self._store.add_agreement(run_id, [row.to_json() for row in rows])
        for sentence in undetermined(rows):
            self._report.note(sentence)
        self.outcome.unproven = unproven(rows)
        self._store.update_cells(
            run_id,
            [
                {"cell_id": cell, "unequal": why.sentence}
                for key, cell in self._cells.items()
                if (why := self._unproven(key)) is not None
            ],
        )

    def _unproven(self, key: CellKey) -> Unproven | None:
        return self.outcome.unproven.get((key.arm.name, key.case.workload))

    def _measure(self) -> None:
        done = self._store.done_generations(self.outcome.run_id)
        split = split_of(self._plan.settings, self._report)
        self._report.stage("measuring", self._plan.settings.max_time_s)
        self._calls = frozen_calls(self._store, self.outcome.run_id, self._cells)
        self._versions = versions_so_far(self._store, self.outcome.run_id)
        number = 0
        with compile_caches(self._plan.settings.cold_start) as cache:
            while (seconds := split.next_s(number, self._so_far)) is not None:
                if number in done:
                    self._report.advance(seconds)
                else:
                    self._one_generation(number, seconds, cache)
                self.outcome.visits_s += seconds
                if self._is_precise():
                    self._report.note(
                        f"every interval is as narrow as asked after {number + 1} generations"
                    )
                    return
                number += 1

    def _is_precise(self) -> bool:
        """Whether every ratio's interval is narrow enough, twice in a row:
        never before the seventh generation.
        """
        run = measured(self._store, self.outcome.run_id)
        effects = [run.against_base(cell).effects() for cell in run.ranked()]
        return bool(effects) and all(enough(e, self._plan.settings.precision) for e in effects)

    def _so_far(self) -> SoFar:
        run = measured(self._store, self.outcome.run_id)
        return SoFar(run, [facts.start_s for facts in run.facts])

    def _one_generation(self, number: int, seconds: float, cache: CompileCaches) -> None:
        given_up = {*self.outcome.failed, *self._unsupported}
        record = Record(compile_cache=cache.state, system=system(), versions=dict(self._versions))
        pools, begin = self._plan.pools(), now()
        # What this generation compiles is there for the next one.
        cache.state = WARM
        interrupted = False
        try:
            for plan in pools:
                generation = Generation(
                    plan,
                    self._datasets,
                    number,
                    self._calls,
                    given_up,
                    record,
                    self._report,
                    cache.folder,
                    self._profiles if number == 0 else None,
                )
                generation.run(seconds / len(pools))
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            record.start_s = max(now() - begin - seconds, 0.0)
            self._versions = record.versions
            self._commit(number, record, interrupted)

    def _commit(self, number: int, record: Record, interrupted: bool) -> None:
        """Into the store in one step, with nothing of a generation that measured nothing."""
        run_id = self.outcome.run_id
        self.outcome.failed |= record.failures
        self._unsupported |= record.unsupported
        blocks = {
            self._cells[key]: block_of([*visits, *record.singles.get(key, ())])
            for key, visits in record.visits.items()
            if visits
        }
        if not blocks:
            return
        if record.control:
            blocks[self._control] = block_of(record.control)
        fairness = {
            case.key: fairness_audit(self._plan, record, case.key) for case in self._plan.cases
        }
        changes = changes_of(record, self._cells, self._calls)
        # Once: every generation of a run computes with the same.
        if number == 0 and not self._plan.settings.allow_unequal:
            changes += self._unequal_cells(fairness)
        facts = stored(replace(record.facts(), fairness=fairness))
        firsts = first_call_rows(record, number)
        counts = figure_rows(record, self._cells)
        rows = GenerationRows(run_id, number, utc_now(), facts, blocks, firsts, changes, counts)
        self._keeper.keep(rows, interrupted)

    def _unequal_cells(self, fairness: Mapping[CaseKey, list[AuditLine]]) -> list[dict[str, Any]]:
        """Changes of cells: arms that differ from the base in what should be equal are shown
        and not ranked.
        """
        rows = []
        for case, lines in fairness.items():
            for arm, reason in unequal(lines, self._plan.base).items():
                self._report.note(
                    f"{arm} {case}: not ranked: {reason} (--allow-unequal ranks it all the same)"
                )
                cells = [key for key in self._cells if (key.arm.name, key.case) == (arm, case)]
                rows += [
                    {"cell_id": self._cells[key], "unequal": reason}
                    for key in cells
                    if self._unproven(key) is None
                ]
        return rows

    def _settle_cells(self) -> None:
        """Every cell's status: failed and unsupported with the reason, ok where something
        was measured.
        """
        seen = set(self._store.samples([*self._cells.values(), self._control])["cell_id"])
        rows = [{"cell_id": self._control, "status": "ok"}] if self._control in seen else []
        for key, cell in self._cells.items():
            row = status_row(key, cell, self.outcome.failed, self._unsupported, cell in seen)
            rows += [row] if row else []
        self._store.update_cells(self.outcome.run_id, rows)


def profiles_folder(store: Store, run_id: str) -> Path:
    """Where the traces of a run are kept: beside the store's file, else where results are by
    default.
    """
    return (store.folder or Path(STORE).parent) / PROFILES / run_id


def versions_so_far(store: Store, run_id: str) -> dict[Arm, Mapping[str, str]]:
    """As the workers of an earlier sitting said.

    Nothing of a generation that older versions stored without.
    """
    versions: dict[Arm, Mapping[str, str]] = {}
    for facts in measured(store, run_id).facts:
        versions |= facts.versions
    return versions
