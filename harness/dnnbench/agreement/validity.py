"""Rule 1: what no precision excuses. docs/agreement.md, 'The rule'."""

from collections.abc import Iterator

import numpy as np

from ..spec.phases import Phase
from .allowances import BUDGET, UNIT
from .deviation import rms
from .keys import Group, TensorKey
from .rule_context import RuleContext
from .rules import allowance_of, sign_unsure

OF_TIES = "predicts another class of logits that are all 0 than the reference"


def form_fault(key: TensorKey, a: np.ndarray, context: RuleContext) -> str | None:
    """Why a tensor cannot be the reference's, whatever its values: its shape, or its type."""
    r = context.reference.tensors[key]
    expected = "float64" if context.exact else "float32"
    if a.shape != r.shape:
        return f"shape {a.shape}, expected {r.shape}"
    if _keeps_its_type(key) and a.dtype != expected:
        return f"type {a.dtype}, expected {expected}"
    return None


def _keeps_its_type(key: TensorKey) -> bool:
    """Whether the tensor has the program's own type.

    A class, a loss, a change of weights have not.
    """
    other = (Group.PREDICTION, Group.WEIGHTS, Group.LOSS)
    return key.phase is not Phase.LOSS and key.group not in other


def value_fault(key: TensorKey, a: np.ndarray, context: RuleContext) -> str | None:
    """Why values are wrong by more than an error: not finite, another class, weights unmoved."""
    if not np.all(np.isfinite(a)):
        return f"{int(np.sum(~np.isfinite(a)))} of {a.size} elements are not finite"
    if key.group is Group.PREDICTION:
        return next(_prediction_faults(key, a, context), None)
    if context.exact and _has_stood_still(key, a, context):
        return "weights that should have moved have not"
    return None


def _prediction_faults(key: TensorKey, a: np.ndarray, context: RuleContext) -> Iterator[str]:
    """The class is the reference's wherever its logits tell classes apart by more than rounding,
    or are zero whatever the rounding: the first of equal ones is predicted, and 0 is not positive.
    """
    if key.far:
        if not np.array_equal(a, context.reference.tensors[key]):
            yield OF_TIES
        return
    z = context.reference.tensors[context.logits]
    rounding = BUDGET.local * allowance_of(context.logits, context).rmse
    match context.workload.task.loss.prediction:
        case "argmax":
            two = np.sort(z, axis=-1)[..., -2:]
            wrong, clear = a != z.argmax(axis=-1), two[..., -1] - two[..., 0] > 2 * rounding
            clear |= _is_zero(context).all(axis=-1)
        case "positive":
            wrong, clear = a != (z > 0), (np.abs(z) > rounding) | _is_zero(context)
        case _:
            return
    if np.any(wrong & clear):
        yield "predicts another class than the reference"


def _is_zero(context: RuleContext) -> np.ndarray:
    """Which logits are zero in every evaluation; below float32 rounding may make others zero."""
    zero = context.reference.zero[context.logits]
    return zero if context.unit <= UNIT["float32"] else np.zeros_like(zero)


def _has_stood_still(key: TensorKey, a: np.ndarray, context: RuleContext) -> bool:
    """Whether weights stand where they were whose gradients tell that they move."""
    if key.group is not Group.WEIGHTS:
        return False
    r = context.reference.tensors[key]
    large = BUDGET.moved * context.unit * max(context.weight_rms[key.name], rms(r))
    moves = (np.abs(r) > large) & ~sign_unsure(key, context)
    return bool(np.any(moves & (a == 0)))


def largest_leak(key: TensorKey, a: np.ndarray, context: RuleContext) -> float:
    """The largest value where the reference is zero whatever the rounding; only float64 decides."""
    if not context.exact:
        return 0.0
    return float(np.max(np.abs(a[context.reference.zero[key]]), initial=0.0))
