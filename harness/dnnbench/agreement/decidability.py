"""Where nothing sound can be said of a tensor: a reference not finite, or rules 8 and 10."""

from typing import NamedTuple

import numpy as np

from ..spec.phases import Phase
from .keys import Group, TensorKey
from .rule_context import RuleContext
from .rules import allowance_of
from .status import Status

UNJUDGED_REFERENCE = (
    "the reference is not finite either, which decides nothing: choose a lower learning rate"
)


class Unjudged(NamedTuple):
    """UNDETERMINED or NOT_COMPARED, and why."""

    status: Status
    reason: str


def unjudged(key: TensorKey, a: np.ndarray, context: RuleContext) -> Unjudged | None:
    """Why nothing sound can be said of a tensor; a prediction depends on its logits."""
    source = context.logits if key.group is Group.PREDICTION else key
    if not np.all(np.isfinite(context.reference.tensors[source])):
        return Unjudged(Status.NOT_COMPARED, UNJUDGED_REFERENCE)
    finite = bool(np.all(np.isfinite(a)))
    if finite and (reason := _apart(key, context)):
        return Unjudged(Status.UNDETERMINED, reason)
    if not np.isfinite(allowance_of(source, context).unflipped):
        reason = f"honest {context.dtype} evaluations, or their squares, are not finite: "
        return Unjudged(Status.NOT_COMPARED, reason + "nothing says how far rounding may stray")
    if finite and _decided_by_rounding(key, context):
        names = ", ".join(context.reference.level)
        reason = f"behind equal values in {names} rounding decides them"
        return Unjudged(Status.UNDETERMINED, reason)
    return None


def _apart(key: TensorKey, context: RuleContext) -> str:
    """Rule 8: after those steps honest evaluations lie too far apart; empty where they do not."""
    if key.phase is Phase.UPDATE_ALONE:  # no pass through the network follows the first of them
        return ""
    share = context.apart.get(key.trajectory)
    if share is None:
        return ""
    where = "are not finite"
    if np.isfinite(share):
        where = f"lie apart by {share:.0%} of the way that the weights went"
    return f"honest {context.dtype} evaluations {where}"


def _decided_by_rounding(key: TensorKey, context: RuleContext) -> bool:
    """Rule 10: behind a level norm, an error as large as the largest of the family would pass."""
    if not context.reference.level or not key.moved_by_gradients:
        return False
    strays = context.times(key) * context.honest_error(key)
    return strays >= context.largest_of[key.family]
