"""The conformance kit: what an installed backend supports, what is wrong with it and by how much."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..numerics.status import Status
from ..protocol.arm import Arm
from ..run.reporter import Reporter
from .examinee import Examinee
from .examiner import Examiner
from .families import FAMILIES
from .law_exams import law_dtype, law_verdict
from .laws import LAWS
from .verdicts import SIDES, LawVerdict, Verdict


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

    def to_json(self) -> dict[str, Any]:
        """Plain data for a script."""
        return {
            "arm": self.arm,
            "versions": self.versions,
            "cases": [{"family": FAMILIES[verdict.case], **verdict._asdict()} for verdict in self.verdicts],
            "laws": [law._asdict() for law in self.laws],
        }


def hold_against_all(arm: Arm, dtypes: Sequence[str], report: Reporter) -> Conformance:
    """Every case in every element type, and every law in one of them.

    WorkerError if the backend cannot even start; what goes wrong later is a verdict.
    """
    verdicts = [verdict for dtype in dtypes for verdict in _cases(arm.with_dtype(dtype), report)]
    examinee = Examinee(arm.with_dtype(law_dtype(dtypes)))
    try:
        versions = examinee.start()["versions"]
        return Conformance(arm.name, versions, verdicts, _laws(examinee, report))
    finally:
        examinee.close()


def _cases(arm: Arm, report: Reporter) -> list[Verdict]:
    report.stage(f"{arm.name} in {arm.dtype}: every op, loss and optimizer", len(FAMILIES))
    examiner = Examiner(arm)
    examiner.examinee.start()
    try:
        for group in examiner.groups:
            report.advance(0, ", ".join(group[:3]) + (" ..." if len(group) > 3 else ""))
            examiner.verdicts(group[0])
            report.advance(len(group))
        return [examiner.verdicts(case)[side] for case in FAMILIES for side in SIDES]
    finally:
        examiner.examinee.close()


def _laws(examinee: Examinee, report: Reporter) -> list[LawVerdict]:
    report.stage(f"{examinee.arm.name}: the laws of the protocol", len(LAWS))
    found = []
    for law in LAWS:
        found.append(law_verdict(examinee, law))
        report.advance(1, law)
    return found
