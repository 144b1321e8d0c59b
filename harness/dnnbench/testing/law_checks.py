"""Laws put to an arm, each on a network that shows whether it is kept."""

from collections.abc import Sequence
from inspect import getdoc

from ..agreement.observing import with_optimizer
from ..agreement.thinned import readable
from ..errors import WorkerError
from ..spec.optimizers import Adam, Momentum, WarmupCosine
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .arm_under_test import ArmUnderTest
from .case_checker import PLAIN
from .cases import CASES
from .cases.everything import heavy, thinned, weighty
from .laws import LAWS, NEEDS
from .service import LawRequest
from .trial import LawBroken
from .verdicts import LawVerdict


def scheduled() -> Workload:
    """`everything` under Adam on a schedule: every step hangs on how many there were."""
    adam = Adam(learning_rate=0.01, schedule=WarmupCosine(warmup=3, steps=20))
    return with_optimizer(CASES["everything"](), adam)


def rising() -> Workload:
    """`everything` under momentum on a schedule: an update is in proportion to the gradient,
    and to how many there were.
    """
    momentum = Momentum(learning_rate=0.05, schedule=WarmupCosine(warmup=3, steps=20))
    return with_optimizer(CASES["everything"](), momentum)


def shown() -> Workload:
    """`everything`, with what its random nodes read and give among its outputs."""
    return readable(CASES["everything"]())


def many_masks() -> Workload:
    """`thinned`, likewise."""
    return readable(thinned())


NETWORKS = {
    "closing_gives_memory_back": weighty,
    "wait_means_done": heavy,
    "restore_goes_back": scheduled,
    "gradients_repeat": CASES["relu"],
    "inference_repeats": CASES["relu"],
    "pieces_do_what_the_step_does": rising,
    "programs_do_not_share": CASES["batch_norm"],
    "masks_are_drawn_as_they_are_meant": shown,
    "masks_keep_their_share": many_masks,
}
"""Where a law is not asked on `everything` as it is: what is kept must show beside compiled code,
waiting wants much work, and many calls little, or many programs.
"""
FRESH = frozenset({"programs_do_not_share"})
"""Laws of a process that has built no program."""


def law_dtype(dtypes: Sequence[str]) -> str:
    """The element type that laws are asked in: float32 where it is among those asked for."""
    return "float32" if "float32" in dtypes else dtypes[0]


def candidates(law: str) -> list[Workload]:
    """Networks to ask a law on, the most telling first: the law's own, that under plain SGD,
    and a plain perceptron.
    """
    workload = NETWORKS.get(law, CASES["everything"])()
    particular = law == "wait_means_done" or law.startswith("masks_")
    smaller = [] if particular else [CASES["relu"]()]
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
            if law in FRESH:
                arm_under_test.renew()
            arm_under_test.kit.try_law(request)
            return LawVerdict(arm, law, meaning, "kept", workload.name)
    except WorkerError as error:
        if error.kind == LawBroken.__name__:
            return LawVerdict(arm, law, meaning, "broken", workload.name, str(error))
        return LawVerdict(arm, law, meaning, "could not run", workload.name, str(error))
    return LawVerdict(arm, law, meaning, "unsupported", reason=reasons[-1])
