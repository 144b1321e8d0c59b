"""Cases put to an arm, many in one network, and one by one where that network is not right."""

from collections.abc import Sequence
from functools import cache

from ..agreement.allowances import STEPS
from ..agreement.comparison import TensorComparison
from ..agreement.observing import with_optimizer
from ..errors import WorkerError
from ..execution.checking import ensure_references, reference_path
from ..protocol.arm import Arm
from ..protocol.capabilities import Capabilities
from ..protocol.dtypes import DType
from ..spec.optimizers import Sgd
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from ..worker.services.agreement import CheckRequest
from .arm_under_test import ArmUnderTest
from .cases import CASES
from .cases.batches import batches_of
from .cases.combined import combined
from .cases.training import MANY_STEPS
from .families import FAMILIES, TRAINING
from .verdicts import Side, Verdict, case_of, judged, unanswered, unsupported

TOGETHER = 20
"""Most cases in one network. A compiler takes 2.5 times as long for ten networks as for one of ten
cases, and gains no more by larger ones (JAX jit), which only need more memory.
"""
PLAIN = Sgd(learning_rate=0.02)
"""Trains the cases of ops: it moves weights by the gradient itself, and every backend
begins with it.
"""


def groups_of(cases: Sequence[str]) -> list[tuple[str, ...]]:
    """Ops together, in even parts; losses and optimizers, of which a network has but one, alone."""
    ops = [case for case in cases if FAMILIES[case] != TRAINING]
    parts = -(-len(ops) // TOGETHER)
    together = [
        tuple(ops[i * len(ops) // parts : (i + 1) * len(ops) // parts]) for i in range(parts)
    ]
    return [*together, *((case,) for case in cases if FAMILIES[case] == TRAINING)]


def workload_of(cases: Sequence[str]) -> Workload:
    """One case as it stands, or several as branches of one network.

    Ops are trained by plain SGD.
    """
    if FAMILIES[cases[0]] == TRAINING:
        return CASES[cases[0]]()
    network = combined("together", cases) if len(cases) > 1 else CASES[cases[0]]()
    return with_optimizer(network, PLAIN)


@cache
def request_of(
    cases: tuple[str, ...], dtype: str, phases: tuple[Phase, ...] = PHASES
) -> CheckRequest:
    """What the cases are asked on in an element type, of some phases."""
    workload = workload_of(cases)
    steps = MANY_STEPS.get(cases[0], STEPS)
    return CheckRequest(
        workload, tuple(batches_of(workload)), steps, seed=0, phases=phases
    ).in_dtype(DType(dtype))


class CaseChecker:
    """One arm in one element type, asked about some cases or all; remembers its verdicts."""

    def __init__(self, arm: Arm, cases: Sequence[str] = tuple(FAMILIES)) -> None:
        self._arm = arm
        self.arm_under_test = ArmUnderTest(arm)
        self.groups = groups_of(cases)
        self._verdicts: dict[str, dict[Side, Verdict]] = {}
        self._offers: dict[str, Capabilities] = {}

    def verdicts(self, case: str) -> dict[Side, Verdict]:
        """Both sides of a case; the rest of its group is answered with it."""
        if case not in self._verdicts:
            self._verdicts |= self._check(next(group for group in self.groups if case in group))
        return self._verdicts[case]

    def _check(self, cases: Sequence[str]) -> dict[str, dict[Side, Verdict]]:
        verdicts: dict[str, dict[Side, Verdict]] = {}
        for case in cases:
            if reason := self._capabilities(case).refusal:
                verdicts[case] = unsupported(self._arm.name, case, self._arm.dtype, reason)
        for offered in self._offered(cases):
            verdicts |= self._answers(offered)
        return verdicts

    def _offered(self, cases: Sequence[str]) -> list[tuple[str, ...]]:
        """Cases that the arm does not refuse, those together of which it offers the same phases."""
        together: dict[tuple[Phase, ...], list[str]] = {}
        for case in cases:
            if self._capabilities(case).refusal is None:
                together.setdefault(self._phases(case), []).append(case)
        return [tuple(some) for some in together.values()]

    def _capabilities(self, case: str) -> Capabilities:
        """What the arm offers of a case.

        One whose question is not answered is put to it as a whole.
        """
        if case not in self._offers:
            try:
                workload = workload_of((case,))
                self._offers[case] = self.arm_under_test.arms.capabilities(
                    workload, self._arm.dtype
                )
            except WorkerError:
                self._offers[case] = Capabilities()
        return self._offers[case]

    def _phases(self, case: str) -> tuple[Phase, ...]:
        """Whole phases of a case that the arm offers."""
        return tuple(phase for phase in PHASES if phase not in self._capabilities(case).missing)

    def _answers(self, cases: Sequence[str]) -> dict[str, dict[Side, Verdict]]:
        """Verdicts of cases together, or of each half where together they are not right.

        One branch's fault shows in the loss, and so in every branch:
        only a network that is right tells of its branches.
        """
        if len(cases) == 1:
            return {cases[0]: self._alone(cases[0])}
        findings = self._together(cases)
        if findings is None:
            middle = len(cases) // 2
            return self._answers(cases[:middle]) | self._answers(cases[middle:])
        of_case: dict[str, list[TensorComparison]] = {case: [] for case in cases}
        for finding in findings:
            of_case.setdefault(case_of(finding.key), []).append(finding)
        return {case: self._judged(case, of_case[case]) for case in cases}

    def _together(self, cases: Sequence[str]) -> list[TensorComparison] | None:
        """Every tensor of one network of many cases; None unless all of them are right."""
        try:
            findings = self._findings(tuple(cases))
        except WorkerError:
            return None
        return findings if all(finding.ok for finding in findings) else None

    def _alone(self, case: str) -> dict[Side, Verdict]:
        try:
            return self._judged(case, self._findings((case,)))
        except WorkerError as error:
            return unanswered(self._arm.name, case, self._arm.dtype, str(error))

    def _judged(self, case: str, findings: Sequence[TensorComparison]) -> dict[Side, Verdict]:
        return judged(self._arm.name, case, self._arm.dtype, findings, self._capabilities(case))

    def _findings(self, cases: tuple[str, ...]) -> list[TensorComparison]:
        request = self._request(cases)
        every = [self._request(some) for group in self.groups for some in self._offered(group)]
        ensure_references([request, *every])  # one process makes many small ones
        return list(self.arm_under_test.kit.comparisons(request, reference_path(request)))

    def _request(self, cases: tuple[str, ...]) -> CheckRequest:
        return request_of(cases, self._arm.dtype, self._phases(cases[0]))


class CaseCheckers:
    """Case checkers by arm, of which one has a worker: frameworks are large."""

    def __init__(self) -> None:
        self._made: dict[Arm, CaseChecker] = {}

    def of(self, arm: Arm, cases: Sequence[str] = tuple(FAMILIES)) -> CaseChecker:
        """The arm's checker; `cases` count at the first question."""
        for other, checker in self._made.items():
            if other != arm:
                checker.arm_under_test.close()
        if arm not in self._made:
            self._made[arm] = CaseChecker(arm, cases)
        return self._made[arm]

    def close(self) -> None:
        """End every worker."""
        for checker in self._made.values():
            checker.arm_under_test.close()
