"""The gate from a request to its cells: a run that screens, and one that confirms
what it flagged.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ..agreement.status import Status
from ..data.dataset import Dataset
from ..errors import UsageError
from ..protocol.arm import Arm
from ..protocol.keys import CaseKey, CellKey
from ..spec.phases import Phase
from ..stats.estimates import Estimate, ratio, smallest_difference
from ..stats.gate import FAMILY_ALPHA, Confirmation, FlaggedCell, confirm, is_flagged
from ..stats.verdict import Finding, Verdict, judge
from ..store.frames import records
from ..store.run_rows import CellRow
from ..store.store import Store
from .agreement_rows import Unproven
from .arms import base_arm, select
from .execute import Execution, Outcome
from .measured import Measured, measured
from .plan import Plan
from .reporter import Reporter
from .request import Origin, Request, open_run
from .run_cells import refuse_nothing


class Answer(StrEnum):
    """The answer that a gate ends with, and each of its rows."""

    PASS = "PASS"
    SLOWER = "SLOWER"
    INCONCLUSIVE = "INCONCLUSIVE"
    """Nothing could be judged."""
    COULD_NOT_RUN = "COULD NOT RUN"
    NOT_COMPARED = "NOT COMPARED"
    """With the reference: there was nothing sound to hold the arm against."""
    DIFFERS = "DIFFERS"
    INTERRUPTED = "INTERRUPTED"


OF_STATUS = {
    Status.COULD_NOT_RUN: Answer.COULD_NOT_RUN,
    Status.NOT_COMPARED: Answer.NOT_COMPARED,
    Status.DIFFERS: Answer.DIFFERS,
}
"""What a check that does not pass makes of a gate."""
UNKNOWN = Estimate(math.nan, math.nan, math.nan, 0)


@dataclass(frozen=True)
class GateCell:
    """What the gate says of one cell: a candidate's, of which `screen` is the ratio to the base
    in the first run.

    base: name of the arm that the ratio is to.
    finding: the screen's, or NOT RANKED with the reason.
    sound: whether the screen could tell anything of it.
    smallest: the slowdown that the screen could have seen.
    """

    key: CellKey
    base: str
    finding: Finding
    screen: Estimate = UNKNOWN
    smallest: float = math.nan
    sound: bool = False
    flagged: bool = False
    confirmation: Confirmation | None = None

    @property
    def case(self) -> CaseKey:
        return self.key.case

    @property
    def phase(self) -> Phase:
        return self.key.phase

    @property
    def arm(self) -> str:
        """The arm's name."""
        return self.key.arm.name

    @property
    def stage(self) -> str:
        """The run that decided: the confirming one, else the screening one."""
        return "confirm" if self.confirmation else "screen"

    @property
    def outcome(self) -> Finding:
        """The confirmation's finding, else the screen's."""
        return self.confirmation.finding if self.confirmation else self.finding

    @property
    def answered(self) -> bool:
        """Whether the stage that decided had an interval, from clean rounds,
        that nothing overrules.
        """
        has_interval = self.confirmation.answered if self.confirmation else self.sound
        return has_interval and not self.outcome.overruled

    @property
    def smallest_difference(self) -> float:
        """The smallest slowdown, as a fraction, that the stage that decided finds four
        times in five.
        """
        return self.confirmation.smallest_difference if self.confirmation else self.smallest


@dataclass(frozen=True)
class Gate:
    """How a gate ended; `confirm_run` is None where nothing was flagged."""

    base: str
    theta: float
    screen_run: str
    cells: tuple[GateCell, ...]
    confirm_run: str | None = None
    failed: Mapping[CellKey, str] = field(default_factory=dict)
    unproven: Mapping[tuple[str, str], Unproven] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def flagged(self) -> list[GateCell]:
        """Cells that had to be confirmed."""
        return [cell for cell in self.cells if cell.flagged]

    @property
    def confirmed(self) -> list[GateCell]:
        """Cells that are slower for certain."""
        return [cell for cell in self.cells if cell.outcome.verdict == Verdict.CONFIRMED]

    @property
    def passed(self) -> bool:
        """Whether there are candidates, every one was judged, and nothing speaks against any."""
        against = self.confirmed or self.failed or self.unproven or self.unjudged
        return bool(self.cells) and not (self.interrupted or against)

    @property
    def answer(self) -> Answer:
        """The answer for all cells together.

        What speaks against an arm itself comes before what its times say.
        """
        if self.interrupted:
            return Answer.INTERRUPTED
        if self.passed:
            return Answer.PASS
        if self.unproven:
            statuses = [unproven.status for unproven in self.unproven.values()]
            return OF_STATUS[max(statuses, key=list(Status).index)]
        if self.failed:
            return Answer.COULD_NOT_RUN
        return Answer.SLOWER if self.confirmed else Answer.INCONCLUSIVE

    def answer_of(self, cell: GateCell) -> Answer:
        """The answer for one cell."""
        if unproven := self.unproven.get((cell.arm, cell.case.workload)):
            return OF_STATUS[unproven.status]
        if cell.key in self.failed:
            return Answer.COULD_NOT_RUN
        if cell.outcome.verdict == Verdict.CONFIRMED:
            return Answer.SLOWER
        return Answer.PASS if cell.answered else Answer.INCONCLUSIVE

    @property
    def unjudged(self) -> dict[str, str]:
        """Candidates of which not one cell could be judged, whom a gate may not let
        pass, and why.
        """
        judged = {cell.arm for cell in self.cells if cell.answered}
        reasons: dict[str, dict[str, None]] = {}  # a set of each arm, in the order of the cells
        for cell in self.cells:
            if cell.arm not in judged:
                reasons.setdefault(cell.arm, {})[cell.outcome.reason] = None
        return {arm: "; ".join(texts) for arm, texts in reasons.items()}


def with_base(request: Request) -> Request:
    """The request with its first arm as the base unless it names one.

    UsageError if no arm is left to judge.
    """
    arms = select(request.backends, request.settings).arms
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
    """Screen every cell of the plan in one run; confirm what is flagged in another.

    NothingMeasured if no cell got a time.
    An interruption keeps what was measured and ends the gate.
    """
    screen_run = open_run(store, request, plan, origin)
    first = Execution(plan, datasets, store, screen_run, report).run()
    if not first.interrupted:
        refuse_nothing(first.run_id, store, list(plan.skipped.values()))
    gate = _gate(plan, first, screened(measured(store, screen_run)))
    if first.interrupted or not gate.flagged:
        return gate
    report.note(
        f"{len(gate.flagged)} of {len(gate.cells)} cells may be slower: "
        "fresh generations are to confirm it"
    )
    again, narrow = narrowed(request, plan, gate, len(store.done_generations(screen_run)))
    confirm_run = open_run(store, again, narrow, origin.after("-confirmation"))
    _copy_agreement(store, screen_run, confirm_run, narrow)
    second = Execution(narrow, datasets, store, confirm_run, report).run()
    gate = replace(
        gate,
        confirm_run=confirm_run,
        failed=first.failed | second.failed,
        interrupted=second.interrupted,
    )
    if second.interrupted:
        return gate
    return replace(gate, cells=confirmed(gate.cells, measured(store, confirm_run), gate.theta))


def _gate(plan: Plan, first: Outcome, cells: tuple[GateCell, ...]) -> Gate:
    return Gate(
        plan.base, plan.settings.theta, first.run_id, cells,
        failed=first.failed, unproven=first.unproven, interrupted=first.interrupted,
    )  # fmt: skip


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


def screened(run: Measured) -> tuple[GateCell, ...]:
    """A GateCell for every cell of a candidate in the first run, in the order of the plan."""
    if run.base_arm is None:
        return ()
    arms = {cell.key.arm for cell in run.cells}
    held_against = bases(run.base_arm, arms)
    candidates = [cell for cell in run.cells if cell.key.arm not in held_against]
    return tuple(_screened(run, cell, _base_of(run, cell)) for cell in candidates)


def _base_of(run: Measured, cell: CellRow) -> CellRow | None:
    """The cell of its own base; None where that has none in the case and phase."""
    if run.base_arm is None:
        return None
    arms = {other.key.arm for other in run.cells}
    return run.beside(cell, own_base(cell.key.arm, run.base_arm, arms))


def _screened(run: Measured, cell: CellRow, base: CellRow | None) -> GateCell:
    key = cell.key
    named = (run.base or "") if base is None else base.arm
    reason = run.not_comparable(cell, base)
    if base is None or reason:
        return GateCell(key, named, Finding(Verdict.NOT_RANKED, reason))
    pairs = run.pairs(cell, base)
    result = ratio(pairs)
    objection = run.objection_to(cell, base)
    finding = (
        Finding(Verdict.UNDECIDED, objection, overruled=True)
        if objection
        else judge(pairs, result, run.theta)
    )
    return GateCell(
        key,
        named,
        finding,
        result.estimate,
        smallest_difference(result.effects, run.theta),
        sound=result.estimate.generations >= 2 and not objection,
        flagged=is_flagged(result.estimate, run.theta),
    )


def narrowed(request: Request, plan: Plan, gate: Gate, taken: int) -> tuple[Request, Plan]:
    """What the second run measures: the flagged cases and phases, by the base and the candidates
    that were flagged.

    taken: generations of the first run.
    The second has as many unless a number was asked for, and takes them all: stopping early,
    or choosing the number by its own first generations, would make its p values too small.
    """
    kept = {gate.base}
    for cell in gate.flagged:
        kept |= {cell.arm, cell.base}
    only = tuple(dict.fromkeys((cell.case, cell.phase) for cell in gate.flagged))
    arms = tuple(arm for arm in plan.arms if arm.name in kept)
    settings = replace(plan.settings, precision=0.0, generations=plan.settings.generations or taken)
    narrow = replace(plan.limited_to(only), arms=arms, settings=settings)
    names = {case.workload.name for case in narrow.cases}
    again = replace(
        request,
        workloads=tuple(workload for workload in request.workloads if workload.name in names),
        backends=tuple(arm.name for arm in arms),
        settings=settings,
        only=only,
        confirms=gate.screen_run,
    )
    return again, narrow


def _copy_agreement(store: Store, screen_run: str, confirm_run: str, narrow: Plan) -> None:
    """The second run rests on the first one's check, of the same arms minutes before."""
    rows = store.agreement(screen_run)
    arms, workloads = (
        {arm.name for arm in narrow.arms},
        {case.workload.name for case in narrow.cases},
    )
    kept = rows[rows["arm"].isin(arms) & rows["workload"].isin(workloads)]
    store.add_agreement(confirm_run, records(kept))


def confirmed(
    screened_cells: Sequence[GateCell], run: Measured, theta: float, alpha: float = FAMILY_ALPHA
) -> tuple[GateCell, ...]:
    """The cells, with what the second run makes of the flagged ones."""
    fresh = {cell.key: cell for cell in run.cells}
    flagged = [cell.key for cell in screened_cells if cell.flagged]
    results = confirm([_flagged(run, fresh[key]) for key in flagged], theta, alpha)
    confirmations = dict(zip(flagged, results, strict=True))
    return tuple(replace(cell, confirmation=confirmations.get(cell.key)) for cell in screened_cells)


def _flagged(run: Measured, cell: CellRow) -> FlaggedCell:
    base = _base_of(run, cell)
    reason = run.not_comparable(cell, base)
    if base is None or reason:
        return FlaggedCell(objection=reason)
    return FlaggedCell(run.pairs(cell, base), run.objection_to(cell, base))
