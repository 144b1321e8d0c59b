"""The conformance kit: what an installed backend supports, what is wrong with it
and by how much.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..agreement.status import Status
from ..execution.reporter import Reporter
from ..protocol.arm import Arm
from ..protocol.dtypes import DType
from .arm_under_test import ArmUnderTest
from .case_checker import CaseChecker
from .choosing import Selection
from .families import FAMILIES
from .law_checks import law_verdict
from .verdicts import SIDES, LawVerdict, Side, Verdict


class Conformance(NamedTuple):
    """Everything that was found about one arm."""

    arm: str
    versions: dict[str, str]
    verdicts: list[Verdict]
    laws: list[LawVerdict]

    @property
    def wrong(self) -> list[Verdict]:
        """Sides of cases that differ, could not run or could not be compared."""
        return [verdict for verdict in self.verdicts if not verdict.status.passes]

    @property
    def broken(self) -> list[LawVerdict]:
        """Laws that are not kept, or could not be asked for."""
        return [law for law in self.laws if law.status not in ("kept", "unsupported")]

    @property
    def answered(self) -> int:
        """Sides of cases that the arm supports."""
        return sum(verdict.status is not Status.UNSUPPORTED for verdict in self.verdicts)

    @property
    def laws_answered(self) -> int:
        """Laws that were asked of something that the arm supports."""
        return sum(law.status != "unsupported" for law in self.laws)

    def to_json(self) -> dict[str, Any]:
        """Plain data for a script."""
        return {
            "arm": self.arm,
            "versions": self.versions,
            "cases": [
                {"family": FAMILIES[verdict.case], **verdict._asdict()} for verdict in self.verdicts
            ],
            "laws": [law._asdict() for law in self.laws],
        }


class Watcher(Protocol):
    """Hears of each finding as it is made."""

    def begins(self, arm: str, versions: Mapping[str, str], dtype: str) -> None:
        """Cases in an element type follow."""

    def judged(self, sides: Mapping[Side, Verdict]) -> None:
        """Both sides of a case."""

    def judged_law(self, law: LawVerdict) -> None:
        """A law."""


class Unwatched:
    """Discards every finding."""

    def begins(self, arm: str, versions: Mapping[str, str], dtype: str) -> None:
        pass

    def judged(self, sides: Mapping[Side, Verdict]) -> None:
        pass

    def judged_law(self, law: LawVerdict) -> None:
        pass


def hold_against(arm: Arm, selection: Selection, report: Reporter, watcher: Watcher) -> Conformance:
    """Ask an arm all that is asked of it, one element type after the other, laws last.

    WorkerError if the backend cannot even start; what goes wrong later is a verdict.
    """
    result = Conformance(arm.name, {}, [], [])
    for dtype, cases in selection.cases.items():
        _ask_cases(arm.with_dtype(DType(dtype)), cases, result, report, watcher)
    if selection.laws:
        _ask_laws(
            arm.with_dtype(DType(selection.law_dtype)), selection.laws, result, report, watcher
        )
    return result


def _ask_cases(
    arm: Arm, cases: Sequence[str], result: Conformance, report: Reporter, watcher: Watcher
) -> None:
    report.stage(f"{arm.name} in {arm.dtype}: ops, losses and optimizers", len(cases))
    checker = CaseChecker(arm, cases)
    try:
        result.versions.update(checker.arm_under_test.start().versions)
        watcher.begins(arm.name, result.versions, arm.dtype)
        for group in checker.groups:
            report.advance(0, ", ".join(group[:3]) + (" ..." if len(group) > 3 else ""))
            for case in group:
                sides = checker.verdicts(case)
                result.verdicts.extend(sides[side] for side in SIDES)
                watcher.judged(sides)
            report.advance(len(group))
    finally:
        checker.arm_under_test.close()


def _ask_laws(
    arm: Arm, laws: Sequence[str], result: Conformance, report: Reporter, watcher: Watcher
) -> None:
    """In a worker of their own: what a law says of memory is not for one that has
    done other work.
    """
    report.stage(f"{arm.name}: the laws of the protocol", len(laws))
    arm_under_test = ArmUnderTest(arm)
    try:
        result.versions.update(arm_under_test.start().versions)
        for law in laws:
            result.laws.append(law_verdict(arm_under_test, law))
            watcher.judged_law(result.laws[-1])
            report.advance(1, law)
    finally:
        arm_under_test.close()
