"""What a bisection knows and comes to: its ends, its walk, and the commit that was confirmed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

from ..protocol.arm import Arm
from ..protocol.keys import CaseKey
from ..spec.phases import Phase
from .walk import End, Walk


class By(StrEnum):
    """The figure whose step is looked for."""

    TIME = "time"
    AGREEMENT = "agreement"
    MEMORY = "memory"
    KERNELS = "kernels"


class BisectAnswer(StrEnum):
    """The answer that a bisection ends with."""

    NAMED = "NAMED"
    """One revision, confirmed against the one before it."""
    ONE_OF_SEVERAL = "ONE OF SEVERAL"
    """The revisions between two neighbours could not be measured."""
    MORE_THAN_ONE = "MORE THAN ONE STEP"
    ENDS_ALIKE = "ENDS DO NOT DIFFER"
    INCONCLUSIVE = "INCONCLUSIVE"
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True)
class Ends:
    """The cell in which the bad end differs from the good one for certain.

    ratio: of the bad end's figure to the good one's, with its 95 % interval; None of a check.
    reason: what a check says of the bad end.
    generations: of a confirmation.  generation_s: seconds of visits of each.
    """

    arm: Arm
    case: CaseKey
    phase: Phase | None
    ratio: tuple[float, float, float] | None = None
    reason: str = ""
    generations: int = 0
    generation_s: float = 0.0
    runs: tuple[str, ...] = ()

    @property
    def cell(self) -> str:
        """For a reader, without the environment."""
        arm = replace(self.arm, environment="").name
        return f"{arm} {self.case}" + (f" {self.phase}" if self.phase else "")


@dataclass(frozen=True)
class Confirmed:
    """The revision that was reached, held against the one before it in fresh generations.

    share: what it makes of the whole difference, in logarithms.
    is_all: whether nothing says for certain that it is only a part.
    """

    confirmed: bool
    ratio: tuple[float, float, float] | None = None
    share: float | None = None
    is_all: bool = True
    reason: str = ""
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bisection:
    """titles: of every revision of the line, the good end first.

    measured: runs of the revision that is being asked; empty between two.
    """

    by: By
    titles: tuple[str, ...]
    ids: tuple[str, ...]
    walk: Walk
    ends: Ends | None = None
    ends_alike: str = ""
    """Why there is nothing to look for; empty where the ends differ, or nobody looked yet."""
    measured: tuple[str, ...] = ()
    confirmation: Confirmed | None = None
    interrupted: bool = False
    state_file: str = ""

    @property
    def answer(self) -> BisectAnswer:
        """The outcome in a word."""
        if self.interrupted:
            return BisectAnswer.INTERRUPTED
        if self.ends is None:
            return BisectAnswer.ENDS_ALIKE
        if self.walk.end is End.MORE_THAN_ONE:
            return BisectAnswer.MORE_THAN_ONE
        if self.walk.end is End.UNDECIDED or self.confirmation is None:
            return BisectAnswer.INCONCLUSIVE
        if not self.confirmation.confirmed:
            return BisectAnswer.INCONCLUSIVE
        if not self.confirmation.is_all:
            return BisectAnswer.MORE_THAN_ONE
        return BisectAnswer.NAMED if self.walk.end is End.STEP else BisectAnswer.ONE_OF_SEVERAL

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to measure."""
        return bool(
            self.ends_alike
            or self.confirmation
            or self.walk.end in (End.MORE_THAN_ONE, End.UNDECIDED)
        )

    @property
    def candidates(self) -> tuple[int, ...]:
        """Places of the revisions among which the step lies, as far as the walk knows."""
        return tuple(range(self.walk.low + 1, self.walk.high + 1))

    def to_json(self) -> dict[str, Any]:
        """Plain data for a file and for a script."""
        ends = self.ends
        return {
            "answer": self.answer,
            "by": self.by,
            "good": self.titles[0],
            "bad": self.titles[-1],
            "revisions": [
                {"id": key, "title": title}
                for key, title in zip(self.ids, self.titles, strict=True)
            ],
            "ends": None if ends is None else _ends_json(ends),
            "ends_alike": self.ends_alike,
            "walk": self.walk.to_json(),
            "measured": list(self.measured),
            "confirmation": self.confirmation and asdict(self.confirmation),
            "candidates": [self.ids[place] for place in self.candidates],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], state_file: str = "") -> Self:
        """As a file keeps it; KeyError, TypeError or ValueError for what is none."""
        confirmation = stored["confirmation"]
        return cls(
            by=By(stored["by"]),
            titles=tuple(each["title"] for each in stored["revisions"]),
            ids=tuple(each["id"] for each in stored["revisions"]),
            walk=Walk.from_json(stored["walk"]),
            ends=stored["ends"] and _read_ends(stored["ends"]),
            ends_alike=stored["ends_alike"],
            measured=tuple(stored["measured"]),
            confirmation=confirmation and Confirmed(**_in_tuples(confirmation)),
            state_file=state_file,
        )


def _ends_json(ends: Ends) -> dict[str, Any]:
    fields = {name: value for name, value in vars(ends).items() if name not in ("arm", "case")}
    where = {"workload": ends.case.workload, "batch_size": ends.case.batch_size}
    return {"arm": ends.arm.to_json(), **where, "cell": ends.cell, **fields}


def _read_ends(stored: Mapping[str, Any]) -> Ends:
    fields = _in_tuples(stored)
    del fields["cell"]
    case = CaseKey(fields.pop("workload"), fields.pop("batch_size"))
    phase = fields.pop("phase")
    arm = Arm.from_json(fields.pop("arm"))
    return Ends(arm=arm, case=case, phase=phase and Phase(phase), **fields)


def _in_tuples(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
