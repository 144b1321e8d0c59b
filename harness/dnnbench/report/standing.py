"""Where the arms of a case stand in one phase: by what time, against the base, and who is first.

One estimator for a row: the ratio to the base, paired in rounds, and the base's time times that
ratio, so that a row's time and ratio say the same and rows are sorted by what they show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..execution.measured import Measured
from ..execution.twins import twin_doubt, twins_of
from ..protocol.keys import CaseKey
from ..spec.phases import Phase
from ..stats.estimates import Estimate, Ratio, ratio
from ..stats.first_place import behind
from ..stats.verdict import APART, Verdict, doubt, too_few, too_wide
from ..store.run_rows import CellRow
from .judged import judged


@dataclass(frozen=True)
class Placed:
    """An arm that is ranked: its time over the base's, 1 for the base itself."""

    cell: CellRow
    over_base: Ratio | None

    @property
    def value(self) -> float:
        return 1.0 if self.over_base is None else self.over_base.estimate.value


@dataclass(frozen=True)
class Standing:
    """What the ranked arms of one case and phase come to, by name, the fastest first."""

    case: CaseKey
    phase: Phase
    first: tuple[str, ...]
    """Who is first, alone or with those that may be as fast; empty where nobody could be judged."""
    unjudged: dict[str, str]
    """Why an arm could not be held against the leader."""
    ahead: Estimate | None
    """How many times as fast as `ahead_of` the leader is; None where there is nobody else."""
    ahead_of: str
    """The base; where the base leads, the next arm."""
    leader: str = ""
    """The fastest by its ratio to the base, whether that is certain or not."""
    to_leader: Mapping[str, Estimate] = field(default_factory=dict)
    """Every other arm's time over the leader's, paired in rounds."""


@dataclass(frozen=True)
class Standings:
    """Of every case and purpose of a run."""

    run: Measured

    @cached_property
    def _twin_doubt(self) -> str:
        return twin_doubt(twins_of(self.run))

    def of(self, case: CaseKey, phase: Phase) -> Standing | None:
        """None where fewer than two arms are ranked; reckoned once, whoever asks."""
        if (case, phase) not in self._reckoned:
            self._reckoned[case, phase] = self._reckon(case, phase)
        return self._reckoned[case, phase]

    @cached_property
    def _reckoned(self) -> dict[tuple[CaseKey, Phase], Standing | None]:
        return {}

    def _reckon(self, case: CaseKey, phase: Phase) -> Standing | None:
        ranked = self._ranked(case, phase)
        if len(ranked) < 2:
            return None
        leader, *others = ranked
        to_leader = [self._over(other.cell, leader.cell) for other in others]
        unjudged = {
            other.cell.arm: why
            for other, pair in zip(others, to_leader, strict=True)
            if (why := self._objection(other.cell, leader.cell, pair))
        }
        slower = behind(to_leader)
        level = [
            other
            for other, is_behind in zip(others, slower, strict=True)
            if other.cell.arm not in unjudged and not is_behind
        ]
        sharing = self._not_behind_the_base([leader, *level])
        # The leader stands first only where it could be held against somebody.
        nobody = len(unjudged) == len(others)
        ahead, ahead_of = self._lead(leader, others, to_leader)
        first = () if nobody else tuple(one.cell.arm for one in sharing)
        over = {
            other.cell.arm: pair.estimate for other, pair in zip(others, to_leader, strict=True)
        }
        return Standing(case, phase, first, unjudged, ahead, ahead_of, leader.cell.arm, over)

    def _not_behind_the_base(self, sharing: Sequence[Placed]) -> Sequence[Placed]:
        """Those that share the first place, without any that is slower for certain than the base,
        where the base is one of them: a leader that varies hides a difference that the base shows.
        """
        if all(one.over_base is not None for one in sharing):
            return sharing
        return [one for one in sharing if one.over_base is None or not self._slower(one)]

    def _slower(self, one: Placed) -> bool:
        """Whether a ranked arm's row says that it is slower than the base."""
        base = self.run.base_of(one.cell)
        assert base is not None, f"{one.cell.key} has no base, and is not ranked"
        finding = judged(self.run, one.cell, base, self._twin_doubt).finding
        return finding.verdict is Verdict.SLOWER

    def _ranked(self, case: CaseKey, phase: Phase) -> list[Placed]:
        """The fastest first; empty where the base was not measured or is not ranked."""
        cells = self._cells.get((case, phase), [])
        others = [cell for cell in cells if cell.cell_id in self._rankable]
        if not others:
            return []
        base = [Placed(cell, None) for cell in cells if cell.arm == self.run.base]
        placed = [Placed(cell, ratio(self.run.against_base(cell))) for cell in others]
        comparable = [one for one in placed if one.value == one.value]
        return sorted([*base, *comparable], key=lambda one: one.value)

    @cached_property
    def _cells(self) -> dict[tuple[CaseKey, Phase], list[CellRow]]:
        cells: dict[tuple[CaseKey, Phase], list[CellRow]] = {}
        for cell in self.run.cells:
            cells.setdefault((cell.case, cell.phase), []).append(cell)
        return cells

    @cached_property
    def _rankable(self) -> set[str]:
        """Cells that can be held against the base's, by id."""
        return {cell.cell_id for cell in self.run.ranked()}

    def _over(self, cell: CellRow, leader: CellRow) -> Ratio:
        return ratio(self.run.pairs(cell, leader))

    def _objection(self, cell: CellRow, leader: CellRow, pair: Ratio) -> str:
        """What speaks against holding two arms against each other; empty if nothing does."""
        run = self.run
        spoken = run.objection_to(cell, leader) or self._twin_doubt
        if spoken:
            return spoken
        if pair.estimate.generations < 2:
            return too_few(pair)
        if too_wide(pair.estimate):
            return APART
        return doubt(run.pairs(cell, leader), pair, theta=0.0)

    def _lead(
        self, leader: Placed, others: Sequence[Placed], to_leader: Sequence[Ratio]
    ) -> tuple[Estimate | None, str]:
        """(how many times as fast, as whom): as the base, or as the next arm if the base leads."""
        if leader.over_base is None:
            return to_leader[0].estimate, others[0].cell.arm
        return inverted(leader.over_base.estimate), str(self.run.base)


def inverted(estimate: Estimate) -> Estimate:
    """How many times as fast, from how many times as long."""
    return Estimate(1 / estimate.value, 1 / estimate.high, 1 / estimate.low, estimate.generations)
