"""Laws put to an arm, each on a network that shows whether it is kept."""

from collections.abc import Sequence
from inspect import getdoc

from ..agreement.observing import with_optimizer
from ..errors import WorkerError
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .arm_under_test import ArmUnderTest
from .case_checker import PLAIN
from .cases import CASES
from .cases.everything import heavy, weighty
from .laws import LAWS, NEEDS, LawBroken
from .service import LawRequest
from .verdicts import LawVerdict

NETWORKS = {"closing_gives_memory_back": weighty, "wait_means_done": heavy}
"""Where a law is not asked on `everything`: what is kept must show beside compiled code,
waiting wants much work.
"""


def law_dtype(dtypes: Sequence[str]) -> str:
    """The element type that laws are asked in: float32 where it is among those asked for."""
    return "float32" if "float32" in dtypes else dtypes[0]


def candidates(law: str) -> list[Workload]:
    """Networks to ask a law on, the most telling first: the law's own, that under plain SGD,
    and a plain perceptron.
    """
    workload = NETWORKS.get(law, CASES["everything"])()
    smaller = [] if law == "wait_means_done" else [CASES["relu"]()]
    return [workload, *(with_optimizer(network, PLAIN) for network in (workload, *smaller))]


def law_verdict(arm_under_test: ArmUnderTest, law: str) -> LawVerdict:
    """Ask an arm whether it keeps a law, on the first network that it can train,
    else on the first that it can do.
    """
    summary = (getdoc(LAWS[law]) or law).split("\n\n")[0]
    arm, meaning = arm_under_test.arm.name, " ".join(summary.split())
    needed, reasons = NEEDS.get(law, Phase.INFER), []
    possible: list[LawRequest] = []
    try:
        for workload in candidates(law):
            capabilities = arm_under_test.arms.capabilities(workload, arm_under_test.arm.dtype)
            phases = tuple(phase for phase in PHASES if phase not in capabilities.missing)
            if needed in phases:
                possible.append(LawRequest(law, workload, phases))
            else:
                reasons.append(capabilities.missing[needed])
            if phases == PHASES:
                break
        for request in sorted(possible, key=lambda one: len(one.phases), reverse=True)[:1]:
            workload = request.workload
            arm_under_test.kit.try_law(request)
            return LawVerdict(arm, law, meaning, "kept", workload.name)
    except WorkerError as error:
        if error.kind == LawBroken.__name__:
            return LawVerdict(arm, law, meaning, "broken", workload.name, str(error))
        return LawVerdict(arm, law, meaning, "could not run", workload.name, str(error))
    return LawVerdict(arm, law, meaning, "unsupported", reason=reasons[-1])
