"""What a gate says: of each cell, and of all together."""

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..agreement.status import Status
from ..protocol.keys import CaseKey, CellKey
from ..spec.phases import Phase
from ..stats.dead_zone import THETA
from ..stats.estimates import Estimate
from ..stats.figures import Change
from ..stats.gate import Confirmation
from ..stats.verdict import Finding, Verdict
from .agreement_rows import Unproven
from .compared_figures import ComparedFigure
from .gate_policy import GatePolicy, Inconclusive, default_policy


class Answer(StrEnum):
    """The answer that a gate ends with, and each of its rows."""

    PASS = "PASS"
    SLOWER = "SLOWER"
    REGRESSED = "REGRESSED"
    """A figure that the policy names grew."""
    UNEXPLAINED = "UNEXPLAINED"
    """Faster for certain, and nothing that was counted explains it."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """Something could not be judged, or too large a slowdown would not have been seen."""
    COULD_NOT_RUN = "COULD NOT RUN"
    NOT_COMPARED = "NOT COMPARED"
    """With the reference: there was nothing sound to hold the arm against."""
    DIFFERS = "DIFFERS"
    INTERRUPTED = "INTERRUPTED"


class Stage(StrEnum):
    """A run of a gate, and what it is for."""

    SCREEN = "screen"
    """Flags cells."""
    CONFIRM = "confirm"
    """Judges the flagged ones."""
    CONFIRM_AGAIN = "confirm_again"
    """Judges those that stayed undecided."""


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
    theta: the slowdown that passes.
    """

    key: CellKey
    base: str
    finding: Finding
    screen: Estimate = UNKNOWN
    smallest: float = math.nan
    sound: bool = False
    flagged: bool = False
    confirmation: Confirmation | None = None
    second: Confirmation | None = None
    """The second confirmation, of a cell that the first left undecided."""
    theta: float = THETA
    figures: tuple[ComparedFigure, ...] = ()
    networks: str = ""
    """What differs between the two sides' networks; empty where they are one."""
    is_unexplained: bool = False
    """Whether it is faster for certain, and all that was counted is the base's."""

    @property
    def regressions(self) -> list[ComparedFigure]:
        """Figures that grew and that the policy names."""
        return [figure for figure in self.figures if figure.is_regression]

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
    def deciding(self) -> Confirmation | None:
        """The confirmation that decided: one that confirms; else the one that answered, and that
        sees the smaller slowdown.

        None of a cell that none was taken of.
        """
        taken = [each for each in (self.confirmation, self.second) if each is not None]
        return min(taken, key=_least_doubtful, default=None)

    @property
    def stage(self) -> Stage:
        """The run that decided: a confirming one, else the screening one."""
        if self.deciding is None:
            return Stage.SCREEN
        return Stage.CONFIRM_AGAIN if self.deciding is self.second else Stage.CONFIRM

    @property
    def outcome(self) -> Finding:
        """The finding of the confirmation that decided, else the screen's."""
        return self.deciding.finding if self.deciding else self.finding

    @property
    def is_undecided(self) -> bool:
        """Whether the first confirmation left it open whether it is slower."""
        return self.confirmation is not None and self.confirmation.is_undecided(self.theta)

    @property
    def answered(self) -> bool:
        """Whether the stage that decided had an interval, from clean rounds,
        that nothing overrules.
        """
        has_interval = self.deciding.answered if self.deciding else self.sound
        return has_interval and not self.outcome.overruled

    @property
    def smallest_difference(self) -> float:
        """The smallest slowdown, as a fraction, that the stage that decided finds four
        times in five.
        """
        return self.deciding.smallest_difference if self.deciding else self.smallest


def _least_doubtful(confirmation: Confirmation) -> tuple[bool, bool, float]:
    """Sorts what may be believed first; NaN, which sees nothing, last."""
    answered = confirmation.answered and not confirmation.finding.overruled
    seen = confirmation.smallest_difference
    return not confirmation.confirmed, not answered, math.inf if math.isnan(seen) else seen


@dataclass(frozen=True)
class Gate:
    """How a gate ended.

    confirm_run: None where nothing was flagged.  second_run: None where there was no second
    confirmation.
    """

    base: str
    theta: float
    screen_run: str
    cells: tuple[GateCell, ...]
    confirm_run: str | None = None
    second_run: str | None = None
    failed: Mapping[CellKey, str] = field(default_factory=dict)
    unproven: Mapping[tuple[str, str], Unproven] = field(default_factory=dict)
    interrupted: bool = False
    chosen_policy: GatePolicy | None = None
    """None for the default one."""

    @property
    def policy(self) -> GatePolicy:
        """What a cell must have been able to see, and what becomes of one that was not."""
        return self.chosen_policy or default_policy(self.theta)

    @property
    def flagged(self) -> list[GateCell]:
        """Cells that had to be confirmed."""
        return [cell for cell in self.cells if cell.flagged]

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that were made, in their order."""
        return tuple(filter(None, (self.screen_run, self.confirm_run, self.second_run)))

    @property
    def undecided(self) -> list[GateCell]:
        """Cells that a second confirmation is for: the first left them undecided, and both sides
        can be measured.
        """
        failed = {(key.arm.name, key.case, key.phase) for key in self.failed}
        return [
            cell
            for cell in self.cells
            if cell.is_undecided
            and not {(arm, cell.case, cell.phase) for arm in (cell.arm, cell.base)} & failed
        ]

    @property
    def confirmed(self) -> list[GateCell]:
        """Cells that are slower for certain."""
        return [cell for cell in self.cells if cell.outcome.verdict == Verdict.CONFIRMED]

    @property
    def passed(self) -> bool:
        """Whether there are candidates, nothing speaks against any, and every cell was judged, or
        the policy lets through what was not.
        """
        of_arms = self.interrupted or self.failed or self.unproven
        against = of_arms or self.confirmed or self.regressed or self.unexplained
        lets_through = self.policy.inconclusive is Inconclusive.PASS
        judged = lets_through or not (self.unjudged or self.blind or self.uncounted)
        return bool(self.cells) and not against and judged

    @property
    def regressed(self) -> list[GateCell]:
        """Cells of which a figure grew that the policy names."""
        return [cell for cell in self.cells if cell.regressions]

    @property
    def unexplained(self) -> list[GateCell]:
        """Cells that are faster without an explanation, where the policy wants one."""
        wanted = self.policy.fail_on_unexplained_improvement
        return [cell for cell in self.cells if wanted and cell.is_unexplained]

    @property
    def uncounted(self) -> list[str]:
        """Names of the policy that no figure of any cell was decided under."""
        decided = [
            figure.name
            for cell in self.cells
            for figure in cell.figures
            if figure.change is not Change.UNDECIDED
        ]
        return [name for name in self.policy.figures if not fnmatch.filter(decided, name)]

    @property
    def blind(self) -> list[GateCell]:
        """Cells that could not have seen the slowdown that they must see."""
        return [cell for cell in self.cells if self.is_blind(cell)]

    def is_blind(self, cell: GateCell) -> bool:
        """Whether a cell might have let a slowdown of `must_see` pass.

        One that is faster for certain has let none pass, and one that is not ranked was not
        asked: its reason says why.
        """
        if cell.outcome.verdict in (Verdict.CONFIRMED, Verdict.NOT_RANKED):
            return False
        if cell.answered and cell.outcome.verdict is Verdict.FASTER:
            return False
        must_see = self.policy.must_see_of(cell.theta)
        sees_enough = cell.smallest_difference <= must_see  # NaN sees nothing
        return not (cell.answered and sees_enough)

    @property
    def answer(self) -> Answer:
        """The answer for all cells together.

        What speaks against an arm itself comes before what its times say.
        """
        if self.interrupted:
            return Answer.INTERRUPTED
        if self.unproven:
            statuses = [unproven.status for unproven in self.unproven.values()]
            return OF_STATUS[max(statuses, key=list(Status).index)]
        if self.failed:
            return Answer.COULD_NOT_RUN
        if self.confirmed:
            return Answer.SLOWER
        if self.regressed:
            return Answer.REGRESSED
        if self.unexplained:
            return Answer.UNEXPLAINED
        return Answer.PASS if self.passed else Answer.INCONCLUSIVE

    def answer_of(self, cell: GateCell) -> Answer:
        """The answer for one cell."""
        if unproven := self.unproven.get((cell.arm, cell.case.workload)):
            return OF_STATUS[unproven.status]
        if cell.key in self.failed:
            return Answer.COULD_NOT_RUN
        if cell.outcome.verdict == Verdict.CONFIRMED:
            return Answer.SLOWER
        if cell.regressions:
            return Answer.REGRESSED
        if cell in self.unexplained:
            return Answer.UNEXPLAINED
        return Answer.PASS if cell.answered and not self.is_blind(cell) else Answer.INCONCLUSIVE

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
