"""What the kit finds: a verdict on each side of a case, and on each law."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from ..agreement.comparison import TensorComparison, worst_of
from ..agreement.keys import TensorKey
from ..agreement.status import Status
from ..protocol.capabilities import Capabilities
from ..spec.phases import Phase

Side = Literal["forward", "gradient"]
SIDES: tuple[Side, ...] = ("forward", "gradient")
_PHASES: Mapping[Side, tuple[Phase, ...]] = {
    "forward": (Phase.INFER, Phase.FORWARD, Phase.LOSS),
    "gradient": (Phase.GRADIENTS, Phase.TRAIN_STEP),
}
"""What a side is made of."""


class Verdict(NamedTuple):
    """One side of one case on one arm in one element type.

    forward: outputs, loss and running statistics of the first batch.
    gradient: gradients, and what they make of weights, slots and outputs in five steps.
    ratio: of the worst of `tensors` tensors, error over allowance; NaN without one.
    """

    arm: str
    case: str
    dtype: str
    side: Side
    status: Status
    ratio: float = math.nan
    tensor: str = ""
    reason: str = ""
    tensors: int = 0
    without: str = ""
    """Phases of the side that the arm does not offer, each with its reason,
    where it offers others.
    """


class LawVerdict(NamedTuple):
    """One law on one arm, asked on the network called `case`."""

    arm: str
    law: str
    meaning: str
    status: Literal["kept", "broken", "could not run", "unsupported"]
    case: str = ""
    reason: str = ""


def side_of(key: TensorKey) -> Side:
    """Which side of a case a tensor belongs to."""
    return "gradient" if key.moved_by_gradients else "forward"


def case_of(key: TensorKey) -> str:
    """The branch of a combined network that a tensor belongs to.

    Its loss, total and prediction belong to none.

    `combined` names the nodes of a branch after their case.
    """
    return key.name.partition(".")[0]


def judged(
    arm: str,
    case: str,
    dtype: str,
    findings: Sequence[TensorComparison],
    capabilities: Capabilities,
) -> dict[Side, Verdict]:
    """The worst tensor of each side.

    One of which there is no tensor is not offered, or was not compared.
    """
    verdicts: dict[Side, Verdict] = {}
    for side in SIDES:
        of_side = [finding for finding in findings if side_of(finding.key) == side]
        missing = {
            phase: capabilities.missing[phase]
            for phase in _PHASES[side]
            if phase in capabilities.missing
        }
        if of_side:
            verdicts[side] = _worst(
                Verdict(arm, case, dtype, side, Status.AGREES), of_side, missing
            )
        elif len(missing) == len(_PHASES[side]):
            reason = "; ".join(dict.fromkeys(missing.values()))
            verdicts[side] = Verdict(arm, case, dtype, side, Status.UNSUPPORTED, reason=reason)
        else:
            verdicts[side] = Verdict(
                arm, case, dtype, side, Status.NOT_COMPARED, reason="it has no tensor"
            )
    return verdicts


def _worst(
    verdict: Verdict, findings: list[TensorComparison], missing: Mapping[Phase, str]
) -> Verdict:
    """The verdict with its worst tensor, and the phases that the arm does not offer."""
    worst = worst_of(findings)
    return verdict._replace(
        status=worst.status,
        ratio=worst.ratio,
        tensor=str(worst.key),
        reason=worst.reason,
        tensors=len(findings),
        without="; ".join(f"{phase}: {reason}" for phase, reason in missing.items()),
    )


def unanswered(arm: str, case: str, dtype: str, reason: str) -> dict[Side, Verdict]:
    """A case that raised or killed its worker: there is no answer on either side."""
    return {
        side: Verdict(arm, case, dtype, side, Status.COULD_NOT_RUN, reason=reason) for side in SIDES
    }


def unsupported(arm: str, case: str, dtype: str, reason: str) -> dict[Side, Verdict]:
    """A case that the arm says it cannot do."""
    return {
        side: Verdict(arm, case, dtype, side, Status.UNSUPPORTED, reason=reason) for side in SIDES
    }
