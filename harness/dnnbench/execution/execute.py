"""A run from its plan to its end: agreement, generations, the store.

What is measured is never lost.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from ..data.dataset import Dataset
from ..errors import NothingMeasured, StoreError
from ..host.clock import now
from ..host.machine import system
from ..protocol.arm import Arm
from ..protocol.dtypes import DType
from ..protocol.keys import CaseKey, CellKey
from ..stats.stopping import enough
from ..store.aside import GenerationRows
from ..store.frames import records
from ..store.store import Store, utc_now
from ..worker.services.agreement import CheckRequest
from .agreement_rows import Unproven, agreement_rows, undetermined, unproven
from .cache import CompileCaches, compile_caches
from .checking import check_agreement, check_requests
from .facts import WARM, AuditLine
from .fairness import fairness_audit, unequal
from .generation import Generation
from .measured import measured
from .plan import CONTROL, Plan
from .pool import worker_cpus
from .record import Record, block_of
from .reporter import Reporter
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


class Execution:
    """Runs a plan into a store; `done` generations of an earlier sitting are not measured again."""

    def __init__(
        self,
        plan: Plan,
        datasets: Mapping[str, Dataset],
        store: Store,
        run_id: str,
        report: Reporter,
    ):
        self._plan, self._datasets, self._store, self._report = plan, datasets, store, report
        self._cells, self._control = cell_ids(store, run_id, plan)
        self._calls: dict[CellKey, int] = {}
        self._unsupported: dict[CellKey, str] = {}
        self._versions: dict[Arm, Mapping[str, str]] = {}
        self._store_failed = False
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
            if self._store_failed:
                raise
            self.outcome.interrupted = True
            status = "interrupted"
        except StoreError:
            self._store_failed = True
            raise
        finally:
            if not self._store_failed:
                self._settle_cells()
                self._store.finish_run(self.outcome.run_id, status)
        return self.outcome

    def _check(self) -> None:
        """Check, unless an earlier sitting of this run did."""
        run_id = self.outcome.run_id
        rows = agreement_rows(records(self._store.agreement(run_id)))
        if not rows:
            settings = self._plan.settings
            workloads = {case.workload.name: case.workload for case in self._plan.cases}
            weights = {
                case.workload.name: case.weights
                for case in self._plan.cases
                if case.weights_origin != "initial"
            }
            requests: list[CheckRequest] = []
            for name, workload in workloads.items():
                requests += check_requests(
                    workload,
                    self._datasets[name],
                    settings.seed,
                    self._plan.phases_of(name),
                    weights.get(name),
                )
            dtypes = list(dict.fromkeys((DType.FLOAT64, settings.dtype)))
            arms = [arm for arm in self._plan.arms if not arm.twin]
            rows = check_agreement(
                arms, requests, len(worker_cpus(settings.threads)), dtypes, self._report
            )
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
        self._calls = self._frozen_calls()
        self._versions = versions_so_far(self._store, self.outcome.run_id)
        number = 0
        with compile_caches(self._plan.settings.cold_start) as cache:
            while (seconds := split.next_s(number, self._so_far)) is not None:
                if number in done:
                    self._report.advance(seconds)
                else:
                    self._one_generation(number, seconds, cache)
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
                )
                generation.run(seconds / len(pools))
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            record.start_s = max(now() - begin - seconds, 0.0)
            self._versions = record.versions
            self._commit(number, record, interrupted)

    def _frozen_calls(self) -> dict[CellKey, int]:
        """Calls a visit that an earlier sitting chose."""
        cells = self._store.cells(self.outcome.run_id).set_index("cell_id")
        calls = cells["calls"].dropna().to_dict()
        return {key: int(calls[cell]) for key, cell in self._cells.items() if cell in calls}

    def _commit(self, number: int, record: Record, interrupted: bool) -> None:
        """Into the store in one step, with nothing of a generation that measured nothing."""
        run_id = self.outcome.run_id
        self.outcome.failed |= record.failures
        self._unsupported |= record.unsupported
        blocks = {
            self._cells[key]: block_of(visits) for key, visits in record.visits.items() if visits
        }
        if not blocks:
            return
        if record.control:
            blocks[self._control] = block_of(record.control)
        fairness = {
            case.key: fairness_audit(self._plan, record, case.key) for case in self._plan.cases
        }
        changes = [
            {"cell_id": self._cells[key]} | asdict(facts.peaks)
            for key, facts in record.cells.items()
            if facts.peaks
        ]
        changes += [
            {"cell_id": self._cells[key], "calls": k}
            for key, k in self._calls.items()
            if key in self._cells
        ]
        if number == 0 and not self._plan.settings.allow_unequal:
            changes += self._unequal_cells(fairness)
        facts = stored(replace(record.facts(), fairness=fairness))
        first_calls = _first_calls(record, number)
        self._keep(
            GenerationRows(run_id, number, utc_now(), facts, blocks, first_calls, changes),
            interrupted,
        )

    def _keep(self, rows: GenerationRows, interrupted: bool) -> None:
        """Into the store, or into a file of its own for --resume:
        a generation that was measured is not lost with its store.

        Who interrupts a run may kill it while it waits for its store: then the file comes first.
        """
        folders, path = aside_folders(self._store), None
        if interrupted:
            with suppress(StoreError):  # the store may take what no folder takes
                path = rows.put_aside(folders)
        try:
            rows.add_to(self._store)
        except (StoreError, KeyboardInterrupt) as error:
            self._store_failed = True
            path = path or rows.put_aside(folders)
            kept = (
                f"generation {rows.number + 1} is in {path}: "
                f"`dnnbench run --resume {rows.run_id}` takes it in"
            )
            if isinstance(error, StoreError) and not interrupted:
                raise StoreError(f"{error}; {kept}") from error
            refused = isinstance(error, StoreError)
            self._report.note(f"{error}; {kept}" if refused else kept)
            raise KeyboardInterrupt from error
        if path is not None:
            path.unlink(missing_ok=True)

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
        run_id = self.outcome.run_id
        measured = set(self._store.samples([*self._cells.values(), self._control])["cell_id"])
        rows: list[dict[str, Any]] = []
        if self._control in measured:
            rows.append({"cell_id": self._control, "status": "ok"})
        for key, cell in self._cells.items():
            if key in self.outcome.failed:
                rows.append(
                    {
                        "cell_id": cell,
                        "status": "failed",
                        "reason": f"failed: {self.outcome.failed[key]}",
                    }
                )
            elif key in self._unsupported:
                rows.append(
                    {"cell_id": cell, "status": "unsupported", "reason": self._unsupported[key]}
                )
            elif cell in measured:
                rows.append({"cell_id": cell, "status": "ok"})
        self._store.update_cells(run_id, rows)


def aside_folders(store: Store) -> list[Path]:
    """Where a generation goes that the store does not take:
    beside its file, else with the user's data.
    """
    users = user_data_path("dnnbench") / "aside"
    return [users] if store.folder is None else [store.folder, users]


def versions_so_far(store: Store, run_id: str) -> dict[Arm, Mapping[str, str]]:
    """As the workers of an earlier sitting said.

    Nothing of a generation that older versions stored without.
    """
    versions: dict[Arm, Mapping[str, str]] = {}
    for facts in measured(store, run_id).facts:
        versions |= facts.versions
    return versions


def _first_calls(record: Record, number: int) -> list[dict[str, Any]]:
    """Rows of the store's `first_call` table."""
    return [
        {
            "arm": key.arm.name,
            "workload": key.case.workload,
            "batch_size": key.case.batch_size,
            "phase": key.phase,
            "generation": number,
        }
        | asdict(facts.first_call)
        for key, facts in record.cells.items()
        if facts.first_call is not None
    ]


def cell_ids(store: Store, run_id: str, plan: Plan) -> tuple[dict[CellKey, str], str]:
    """(the store's id of every cell of the plan, the control arm's), added if they are
    not there yet.
    """
    if store.cells(run_id).empty:
        store.add_cells(run_id, plan.cells())
    rows = store.cells(run_id)
    places = zip(rows["arm"], rows["workload"], rows["batch_size"], rows["phase"], strict=True)
    ids = dict(zip(places, rows["cell_id"], strict=True))
    cells = {
        key: ids[key.arm.name, key.case.workload, key.case.batch_size, key.phase]
        for key in plan.cell_keys()
    }
    return cells, ids[CONTROL, "", 0, CONTROL]


def refuse_nothing(outcome: Outcome, store: Store, skipped: Sequence[str]) -> None:
    """NothingMeasured if not one cell of the run has a sample."""
    if not measured_anything(store, outcome.run_id):
        reasons = {*store.cells(outcome.run_id)["reason"].dropna(), *skipped}
        raise NothingMeasured("nothing could be measured: " + "; ".join(sorted(reasons)))


def measured_anything(store: Store, run_id: str) -> bool:
    """Whether a cell other than the control arm's has a result."""
    cells = store.cells(run_id)
    return bool((cells[cells["arm"] != CONTROL]["status"] == "ok").any())
