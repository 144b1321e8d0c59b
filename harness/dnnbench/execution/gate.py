"""The gate from a request to its cells: a run that screens, one that confirms what it flagged, and
where that is wanted and the screen left time, one that confirms what stayed undecided.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ..data.dataset import Dataset
from ..errors import UsageError
from ..protocol.arm import Arm
from ..protocol.keys import CellKey
from ..stats.estimates import ratio, smallest_difference
from ..stats.gate import (
    FAMILY_ALPHA,
    Confirmation,
    FlaggedCell,
    confirm,
    is_flagged,
)
from ..stats.verdict import Finding, Verdict, judge
from ..store.frames import records
from ..store.run_rows import CellRow
from ..store.store import Store
from ..wording import counted
from .arms import base_arm, select
from .best_choice import refuse_best
from .execute import Execution, Outcome
from .fresh import Fresh, confirmations
from .gate_cells import Gate, GateCell
from .gate_findings import finding_rows
from .gate_policy import GatePolicy, default_policy
from .measured import Measured, measured
from .plan import Plan
from .reporter import Reporter
from .request import Origin, Request, open_run
from .run_cells import refuse_nothing


def with_base(request: Request) -> Request:
    """The request with its first arm as the base unless it names one.

    UsageError if no arm is left to judge.
    """
    arms = select(request.backends, request.settings).arms
    refuse_best(arms)
    named = replace(request, base=request.base or arms[0].name)
    if bases(base_arm(arms, named.base), arms) >= set(arms):
        got = "one arm" if len(arms) == 1 else f"one arm in {len(arms)} forms"
        raise UsageError(
            f"a gate holds candidates against a base and got {got}, "
            f"{', '.join(arm.name for arm in arms)}; "
            "name two or more, such as --backend torch,torch@new"
        )
    return named


def refuse_pairs_of_bases(plan: Plan) -> None:
    """UsageError where arms are measured in pairs with one base, and candidates have several."""
    (base,) = (arm for arm in plan.arms if arm.name == plan.base)
    count = len(bases(base, plan.arms))
    if plan.paired and count > 1:
        raise UsageError(
            f"the arms do not fit in memory together, so each is measured with {plan.base} alone, "
            f"and the candidates have {count} bases between them; gate each backend, --dtype, "
            "--threads and --device in a run of its own"
        )


def run_gate(
    request: Request,
    plan: Plan,
    datasets: Mapping[str, Dataset],
    store: Store,
    origin: Origin,
    report: Reporter,
) -> Gate:
    """Screen every cell of the plan in one run; confirm what is flagged in another, and in a third
    what that leaves undecided, if the policy wants it and the screen left time.

    NothingMeasured if no cell got a time.
    An interruption keeps what was measured and ends the gate.
    """
    screen_run = open_run(store, request, plan, origin)
    first = Execution(plan, datasets, store, screen_run, report).run()
    if not first.interrupted:
        refuse_nothing(first.run_id, store, list(plan.skipped.values()))
    run = measured(store, screen_run)
    gate = _gate(request, plan, first, screened(run, request.gate))
    store.add_findings(screen_run, finding_rows(gate, run))
    if first.interrupted or not gate.flagged:
        return gate
    report.note(
        f"{len(gate.flagged)} of {counted(len(gate.cells), 'cell')} may be slower: "
        "fresh generations are to confirm it"
    )
    # The screen chose these cells for being slow, so its figures may not judge them as well.
    taken = len(store.done_generations(screen_run))
    fresh = confirmations(plan.settings, taken, first.visits_s, gate.policy.confirm_again)
    confirming = Confirming(request, plan, datasets, store, origin, report)
    gate = confirming.first(gate, fresh[0])
    if gate.interrupted or len(fresh) == 1 or not gate.undecided:
        return gate
    report.note(
        f"{len(gate.undecided)} of {counted(len(gate.flagged), 'cell')} stayed undecided: a second "
        f"confirmation takes the {fresh[1].visits_s:.0f} s of visits that the screen left"
    )
    return confirming.second(gate, fresh[1])


def _gate(request: Request, plan: Plan, first: Outcome, cells: tuple[GateCell, ...]) -> Gate:
    return Gate(
        base=plan.base,
        theta=plan.settings.theta,
        screen_run=first.run_id,
        cells=cells,
        failed=first.failed,
        unproven=first.unproven,
        interrupted=first.interrupted,
        chosen_policy=request.gate,
    )


def own_base(arm: Arm, base: Arm, arms: Collection[Arm]) -> Arm:
    """The arm that a gate holds another against.

    That is the arm itself in the base's environment, because two backends in a new environment are
    two questions; else the base in the arm's type, with its threads, on its device, because two
    types are; else the base.
    """
    before = replace(arm, environment=base.environment)
    if before != arm and before in arms:
        return before
    form = base.in_place_of(arm)
    return form if form in arms else base


def bases(base: Arm, arms: Collection[Arm]) -> set[Arm]:
    """The arms that others are held against, or would be; all others are candidates."""
    return {own_base(arm, base, arms) for arm in arms}


def screened(run: Measured, policy: GatePolicy | None = None) -> tuple[GateCell, ...]:
    """A GateCell for every cell of a candidate in the first run, in the order of the plan.

    policy: None where the run's theta holds for every cell.
    """
    if run.base_arm is None:
        return ()
    arms = {cell.key.arm for cell in run.cells}
    held_against = bases(run.base_arm, arms)
    candidates = [cell for cell in run.cells if cell.key.arm not in held_against]
    chosen = policy or default_policy(run.theta)
    return tuple(
        _screened(run, cell, _base_of(run, cell), chosen.theta_of(cell.key, run.theta))
        for cell in candidates
    )


def _base_of(run: Measured, cell: CellRow) -> CellRow | None:
    """The cell of its own base; None where that has none in the case and phase."""
    if run.base_arm is None:
        return None
    arms = {other.key.arm for other in run.cells}
    return run.beside(cell, own_base(cell.key.arm, run.base_arm, arms))


def _screened(run: Measured, cell: CellRow, base: CellRow | None, theta: float) -> GateCell:
    key = cell.key
    named = (run.base or "") if base is None else base.arm
    reason = run.not_comparable(cell, base)
    if base is None or reason:
        return GateCell(key, named, Finding(Verdict.NOT_RANKED, reason), theta=theta)
    pairs = run.pairs(cell, base)
    result = ratio(pairs)
    objection = run.objection_to(cell, base)
    finding = (
        Finding(Verdict.UNDECIDED, objection, overruled=True)
        if objection
        else judge(pairs, result, theta)
    )
    return GateCell(
        key,
        named,
        finding,
        result.estimate,
        smallest_difference(result.effects, theta),
        sound=result.estimate.generations >= 2 and not objection,
        flagged=is_flagged(result.estimate, theta),
        theta=theta,
    )


@dataclass(frozen=True)
class Confirming:
    """Takes the confirmations of one gate."""

    request: Request
    plan: Plan
    datasets: Mapping[str, Dataset]
    store: Store
    origin: Origin
    report: Reporter

    def first(self, gate: Gate, fresh: Fresh) -> Gate:
        """The gate with a confirmation of every flagged cell."""
        run_id, outcome = self._take(gate.flagged, gate, gate.screen_run, "-confirmation", fresh)
        gate = _after(replace(gate, confirm_run=run_id), outcome)
        if gate.interrupted:
            return gate
        run = measured(self.store, run_id)
        cells = confirmed(gate.cells, run, gate.theta, fresh.alpha)
        return self._stored(replace(gate, cells=cells), run)

    def second(self, gate: Gate, fresh: Fresh) -> Gate:
        """The gate with another confirmation of the cells that the first left undecided."""
        undecided = gate.undecided
        assert gate.confirm_run is not None
        run_id, outcome = self._take(undecided, gate, gate.confirm_run, "-confirmation-2", fresh)
        gate = _after(replace(gate, second_run=run_id), outcome)
        if gate.interrupted:
            return gate
        run = measured(self.store, run_id)
        cells = confirmed_again(gate.cells, undecided, run, gate.theta, fresh.alpha)
        return self._stored(replace(gate, cells=cells), run)

    def _take(
        self, cells: Sequence[GateCell], gate: Gate, confirms: str, suffix: str, fresh: Fresh
    ) -> tuple[str, Outcome]:
        """The id of a fresh run of the cells, and how it ended."""
        again, narrow = narrowed(self.request, self.plan, cells, confirms, fresh)
        run_id = open_run(self.store, again, narrow, self.origin.after(suffix))
        _copy_agreement(self.store, gate.screen_run, run_id, narrow)
        return run_id, Execution(narrow, self.datasets, self.store, run_id, self.report).run()

    def _stored(self, gate: Gate, run: Measured) -> Gate:
        """The gate, once its findings of the run are in the store."""
        self.store.add_findings(run.run.run_id, finding_rows(gate, run))
        return gate


def _after(gate: Gate, outcome: Outcome) -> Gate:
    """The gate with what failed in a run, and whether that was interrupted."""
    return replace(gate, failed={**gate.failed, **outcome.failed}, interrupted=outcome.interrupted)


def narrowed(
    request: Request, plan: Plan, cells: Sequence[GateCell], confirms: str, fresh: Fresh
) -> tuple[Request, Plan]:
    """What a confirmation measures: the cases and phases of its cells, by the base and the
    candidates that have one.

    confirms: the run whose findings are to be confirmed.
    """
    kept = {plan.base}
    for cell in cells:
        kept |= {cell.arm, cell.base}
    only = tuple(dict.fromkeys((cell.case, cell.phase) for cell in cells))
    arms = tuple(arm for arm in plan.arms if arm.name in kept)
    settings = replace(
        plan.settings,
        precision=0.0,
        generations=fresh.generations,
        max_time_s=fresh.visits_s,
        figures=False,
    )
    narrow = replace(plan.limited_to(only), arms=arms, settings=settings)
    names = {case.workload.name for case in narrow.cases}
    again = replace(
        request,
        workloads=tuple(workload for workload in request.workloads if workload.name in names),
        networks={
            environment: tuple(workload for workload in several if workload.name in names)
            for environment, several in request.networks.items()
        },
        backends=tuple(arm.name for arm in arms),
        settings=settings,
        only=only,
        confirms=confirms,
    )
    return again, narrow


def _copy_agreement(store: Store, screen_run: str, confirm_run: str, narrow: Plan) -> None:
    """A confirmation rests on the screen's check, of the same arms minutes before."""
    rows = store.agreement(screen_run)
    arms, workloads = (
        {arm.name for arm in narrow.arms},
        {case.workload.name for case in narrow.cases},
    )
    kept = rows[rows["arm"].isin(arms) & rows["workload"].isin(workloads)]
    store.add_agreement(confirm_run, records(kept))


def confirmed(
    cells: Sequence[GateCell], run: Measured, theta: float, alpha: float = FAMILY_ALPHA
) -> tuple[GateCell, ...]:
    """The cells, with what the first confirmation makes of the flagged ones."""
    results = _confirmations([cell for cell in cells if cell.flagged], run, theta, alpha)
    return tuple(replace(cell, confirmation=results.get(cell.key)) for cell in cells)


def confirmed_again(
    cells: Sequence[GateCell],
    undecided: Sequence[GateCell],
    run: Measured,
    theta: float,
    alpha: float,
) -> tuple[GateCell, ...]:
    """The cells, with what the second confirmation makes of those that were undecided."""
    results = _confirmations(undecided, run, theta, alpha)
    return tuple(replace(cell, second=results.get(cell.key)) for cell in cells)


def _confirmations(
    cells: Sequence[GateCell], run: Measured, theta: float, alpha: float
) -> dict[CellKey, Confirmation]:
    """One family: what fresh generations make of each cell, by these alone."""
    fresh = {cell.key: cell for cell in run.cells}
    flagged = [_flagged(run, fresh[cell.key], cell.theta) for cell in cells]
    return dict(zip([cell.key for cell in cells], confirm(flagged, theta, alpha), strict=True))


def _flagged(run: Measured, cell: CellRow, theta: float) -> FlaggedCell:
    base = _base_of(run, cell)
    reason = run.not_comparable(cell, base)
    if base is None or reason:
        return FlaggedCell(objection=reason, theta=theta)
    return FlaggedCell(run.pairs(cell, base), run.objection_to(cell, base), theta)
