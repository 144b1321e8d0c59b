"""Several revisions of one cell, measured together: what a step of a bisection rests on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..agreement.status import Status
from ..errors import NothingMeasured
from ..protocol.arm import Arm
from ..protocol.keys import CaseKey
from ..spec.phases import Phase
from ..stats.estimates import Pairs
from ..store.run_rows import CellRow
from ..store.store import Store
from .agreement_rows import AgreementRow, unproven
from .execute import Execution
from .measured import Measured, measured
from .plan_check import check_plan
from .reporter import Reporter
from .request import Origin, Request, make_plan, open_run


@dataclass(frozen=True)
class Subject:
    """The one cell that a bisection follows, and what measures it.

    arm: whose environment each revision replaces.
    phase: None for all phases of the request, which a check compares together.
    generation_s: seconds of visits of a generation.
    """

    request: Request
    arm: Arm
    case: CaseKey
    phase: Phase | None
    generation_s: float

    def at(self, environment: str) -> str:
        """The name of the arm with a revision installed."""
        return replace(self.arm, environment=environment, shown=()).name

    def request_for(self, environments: Sequence[str], generations: int, check: bool) -> Request:
        """The cell alone, by the arm in each environment; the first is the base."""
        names = tuple(dict.fromkeys(map(self.at, environments)))
        settings = replace(
            self.request.settings,
            phases=self.request.settings.phases if self.phase is None else (self.phase,),
            dtypes=(self.arm.dtype,),
            threads=(self.arm.threads,),
            devices=(self.arm.device,),
            generations=generations,
            max_time_s=self.generation_s * generations,
            precision=0.0,
            check=check,
        )
        chosen = tuple(w for w in self.request.workloads if w.name == self.case.workload)
        return replace(
            self.request,
            workloads=chosen,
            backends=names,
            settings=settings,
            batch_sizes=(self.case.batch_size,),
            base=names[0],
            gate=None,
        )


@dataclass(frozen=True)
class Ratios:
    """What measuring revisions together left, of each generation.

    of: environment -> log of its figure over the base's, by generation.
    reason: why there is nothing to compare; empty where there is.
    failed: whether a revision itself is the reason, and measuring again would not help.
    """

    of: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    reason: str = ""
    failed: str = ""

    def with_more(self, fresh: "Ratios") -> "Ratios":
        """With the generations of another run, numbered on."""
        first = 1 + max((g for own in self.of.values() for g in own), default=-1)
        names = dict.fromkeys((*self.of, *fresh.of))
        of = {
            name: {
                **self.of.get(name, {}),
                **{first + g: ratio for g, ratio in fresh.of.get(name, {}).items()},
            }
            for name in names
        }
        return replace(self, of=of)

    def between(self, environment: str, base: str) -> list[float]:
        """Log ratios of one to another, of the generations that both have."""
        own, other = self.of.get(environment, {}), self.of.get(base, {})
        return [own[g] - other[g] for g in sorted(own.keys() & other.keys())]


def measure_run(request: Request, store: Store, origin: Origin, report: Reporter) -> str:
    """A run of what is asked; its id.  KeyboardInterrupt, after what was measured is kept."""
    plan, datasets = make_plan(request, report)
    run_id = open_run(store, request, plan, origin)
    outcome = Execution(plan, datasets, store, run_id, report).run()
    if outcome.interrupted:
        raise KeyboardInterrupt
    return run_id


def measure_together(
    subject: Subject,
    environments: Sequence[str],
    generations: int,
    check: bool,
    store: Store,
    origin: Origin,
    report: Reporter,
) -> str:
    """A run of the cell in each environment; its id."""
    request = subject.request_for(environments, generations, check)
    return measure_run(request, store, origin, report)


def time_ratios(subject: Subject, environments: Sequence[str], run: Measured) -> Ratios:
    """Of the times of a run, each environment to the first one.

    A generation of which no clean round is left has none.
    """
    cells = _cells(subject, environments, run)
    base = cells[environments[0]]
    of: dict[str, dict[int, float]] = {}
    for environment, cell in cells.items():
        reason = run.not_comparable(cell, base)
        if reason:
            return Ratios(reason=reason, failed=environment)
        if objection := run.objection_to(cell, base):
            return Ratios(reason=objection)
        of[environment] = (
            dict.fromkeys(_generations(run.pairs(cell, cell)), 0.0)
            if cell is base
            else _by_generation(run.pairs(cell, base))
        )
    return Ratios(of)


def memory_ratios(subject: Subject, environments: Sequence[str], run: Measured) -> Ratios:
    """Of the peaks of memory of a run of one generation, each environment to the first one."""
    cells = _cells(subject, environments, run)
    base = cells[environments[0]]
    of: dict[str, dict[int, float]] = {}
    for environment, cell in cells.items():
        ratio = peak_ratio(cell, base)
        reason = run.not_comparable(cell, base)
        if reason or ratio is None:
            return Ratios(reason=reason or "no peak of memory was measured", failed=environment)
        of[environment] = {0: ratio}
    return Ratios(of)


def peak_ratio(cell: CellRow, base: CellRow) -> float | None:
    """Logarithm of a cell's peak of memory over the base's: of the device where that has a counter,
    else of the process; None where one of the two has none.
    """
    own = cell.peak_device_bytes or cell.peak_rss_bytes
    other = base.peak_device_bytes or base.peak_rss_bytes
    return math.log(own / other) if own and other else None


def statuses(
    subject: Subject, environments: Sequence[str], report: Reporter
) -> dict[str, tuple[Status, str]]:
    """What a check says of each environment's arm, with the reason where it does not pass."""
    plan, datasets = make_plan(subject.request_for(environments, 1, check=True), report)
    rows = check_plan(plan, datasets, report)
    return {each: _status(rows, subject.at(each)) for each in environments}


def _status(rows: Sequence[AgreementRow], arm: str) -> tuple[Status, str]:
    own = [row for row in rows if row.arm == arm]
    for why in unproven(own).values():
        return why.status, why.reason
    worst = max((row.status for row in own), key=list(Status).index)
    return worst, ""


def run_of(store: Store, run_id: str) -> Measured:
    """A recorded run; NothingMeasured where not one of its cells has a time."""
    run = measured(store, run_id)
    if not run.visits:
        reasons = {cell.reason or cell.status for cell in run.cells}
        raise NothingMeasured("nothing could be measured: " + "; ".join(sorted(reasons)))
    return run


def _cells(subject: Subject, environments: Sequence[str], run: Measured) -> dict[str, CellRow]:
    by_arm = {cell.arm: cell for cell in run.cells if cell.phase == subject.phase}
    return {each: by_arm[subject.at(each)] for each in environments}


def _by_generation(pairs: Pairs) -> dict[int, float]:
    return dict(zip(_generations(pairs), pairs.effects().tolist(), strict=True))


def _generations(pairs: Pairs) -> list[int]:
    """Those with a clean round."""
    return [int(g) for g in np.unique(pairs.generation[pairs.clean])]
