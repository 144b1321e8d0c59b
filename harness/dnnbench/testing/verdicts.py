"""What the kit finds: a verdict on each side of a case, and on each law."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ..agreement.comparison import TensorComparison, worst_of
from ..agreement.keys import TensorKey
from ..agreement.status import Status

Side = Literal["forward", "gradient"]
SIDES: tuple[Side, ...] = ("forward", "gradient")


class Verdict(NamedTuple):
    """One side of one case on one arm in one element type.

    forward: outputs, loss and running statistics of the first batch.   gradient: gradients, and what they make of weights,
    slots and outputs in five steps.   ratio: of the worst of `tensors` tensors, error over allowance; NaN without one.
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
    """The branch of a combined network that a tensor belongs to; its loss, total and prediction belong to none.

    `combined` names the nodes of a branch after their case.
    """
    return key.name.partition(".")[0]


def judged(arm: str, case: str, dtype: str, findings: Sequence[TensorComparison]) -> dict[Side, Verdict]:
    """The worst tensor of each side; one of which there is no tensor was not compared."""
    return {side: _worst(arm, case, dtype, side, [f for f in findings if side_of(f.key) == side]) for side in SIDES}


def _worst(arm: str, case: str, dtype: str, side: Side, findings: list[TensorComparison]) -> Verdict:
    if not findings:
        return Verdict(arm, case, dtype, side, Status.NOT_COMPARED, reason="it has no tensor")
    worst = worst_of(findings)
    return Verdict(arm, case, dtype, side, worst.status, worst.ratio, str(worst.key), worst.reason, len(findings))


def unanswered(arm: str, case: str, dtype: str, reason: str) -> dict[Side, Verdict]:
    """A case that raised or killed its worker: there is no answer on either side."""
    return {side: Verdict(arm, case, dtype, side, Status.COULD_NOT_RUN, reason=reason) for side in SIDES}


def unsupported(arm: str, case: str, dtype: str, reason: str) -> dict[Side, Verdict]:
    """A case that the arm says it cannot do."""
    return {side: Verdict(arm, case, dtype, side, Status.UNSUPPORTED, reason=reason) for side in SIDES}
