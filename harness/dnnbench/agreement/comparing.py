"""The rule by which two tensors agree: docs/agreement.md, 'The rule', and in which order
it is applied.
"""

from collections.abc import Collection

import numpy as np

from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .comparison import TensorComparison, worst_of
from .decidability import unjudged
from .deviation import largest, rmse
from .far import DTYPES as FAR_DTYPES
from .far import phases_far
from .keys import Group, TensorKey, Tensors
from .reference import Reference
from .rule_context import RuleContext, rule_context
from .rules import allowance_of
from .validity import form_fault, largest_leak, value_fault


def compare(
    reference: Reference,
    observed: Tensors,
    workload: Workload,
    dtype: str,
    phases: Collection[Phase] = PHASES,
) -> list[TensorComparison]:
    """Every tensor of the reference against the contender's, of those that some phases give and
    the type can hold.
    """
    context = rule_context(reference, workload, dtype)
    lifted = phases_far(workload, phases) if dtype in FAR_DTYPES else []
    keys = [key for key in reference.tensors if not key.far or key.phase in lifted]
    wanted = [key for key in keys if key.phases <= set(phases)]
    return [compare_tensor(key, observed.get(key), context) for key in wanted]


def compare_tensor(key: TensorKey, a: np.ndarray | None, context: RuleContext) -> TensorComparison:
    """A contender's tensor against the reference's: form, whether anything decides,
    values, error.
    """
    if a is None:
        return _wrong(key, "missing")
    if fault := form_fault(key, a, context):
        return _wrong(key, fault)
    if undecided := unjudged(key, a, context):
        return TensorComparison(key, float("nan"), undecided.reason, undecided.status)
    if fault := value_fault(key, a, context):
        return _wrong(key, fault)
    if key.group is Group.PREDICTION:
        return TensorComparison(key, 0.0)
    return _compare_errors(key, a, context)


def _wrong(key: TensorKey, reason: str) -> TensorComparison:
    return TensorComparison(key, float("inf"), reason)


def _compare_errors(key: TensorKey, a: np.ndarray, context: RuleContext) -> TensorComparison:
    """The worst of three errors over what is allowed of each."""
    r = context.reference.tensors[key]
    allowed = allowance_of(key, context)
    spread = _ratio(key, rmse(a, r), allowed.rmse, "rmse")
    single = _ratio(key, largest(a, r), allowed.largest, "largest single error")
    most_leaked = allowed.rmse + allowed.flipped_step
    leak = largest_leak(key, a, context)
    leaked = _ratio(key, leak, most_leaked, "largest value where the reference is zero")
    return worst_of([spread, single, leaked])


def _ratio(key: TensorKey, error: float, allowed: float, what: str) -> TensorComparison:
    if error == 0:
        return TensorComparison(key, 0.0)
    ratio = error / allowed if allowed > 0 else float("inf")
    return TensorComparison(key, ratio, f"{what} {error:.2e}, allowed {allowed:.2e}")
