"""Every constant of the agreement rule, in one table. A test caps them.

u is the unit roundoff of a type. sigma is the error of honest arithmetic in that type, measured on
the reference itself.
"""

from types import MappingProxyType
from typing import NamedTuple


class Budget(NamedTuple):
    """How much error the rule allows a tensor; `rules` reads it."""

    noise: float = 10
    """below float64: times the larger of sigma and `floor` u S."""
    noise_small: float = 30
    """the same for tensors of `small` elements or fewer."""
    small: int = 10
    exact: float = 64
    """the same in float64, where the mildest wrong convention is a million times larger."""
    floor: float = 4
    floor_low: float = 1
    """the same in lower precisions, whose sigma is measured at their own size of error."""
    local: float = 30
    """largest single error, in allowances, unless honest evaluations show larger ones."""
    kink: float = 2
    """below float64: times sigma_kink more for gradients and what they move."""
    apart: float = 0.5
    """below float64: how far apart honest evaluations may lie and decide,
    of the weights' own way.
    """
    moved: float = 1e3
    """a weight whose reference moves by more than this times u rms(p) must move."""
    work_flops: float = 2e10
    """above this much work in five training steps, two steps are checked."""
    many_flops: float = 1e8
    """up to this much work in twelve training steps, twelve are checked."""
    whole_flops: float = 2e10
    """the timed batch is held against the reference whole up to this much work of one evaluation"""
    whole_bytes: float = 2**30
    """and this much memory,"""
    parts_flops: float = 1e11
    """and against the arm's own batches of `CHECK_BATCH` up to this much work."""
    far: float = 1e3
    """`floor` times this of tensors behind logits or scores lifted so far: the lift's own rounding,
    which equal sums round alike, so that sigma may miss it."""
    decided_loss: float = 1e-3
    """a training step's loss is judged where so large a share of it is more than is allowed."""


BUDGET = Budget()
UNIT = MappingProxyType(
    {
        "float64": 2.0**-53,
        "float32": 2.0**-24,
        **dict.fromkeys(("tf32", "float16", "mixed_float16"), 2.0**-11),
        **dict.fromkeys(("bfloat16", "mixed_bfloat16"), 2.0**-8),
    }
)
"""Unit roundoff of the coarsest numbers in each precision."""
ADAPTIVE = frozenset({"rmsprop", "adam", "adamw"})
"""Optimizers that divide by the gradient's own size: one of rounding alone moves weights as far."""
SQUARES = frozenset({"mean_square", "second_moment"})
"""Slots that hold a running mean of squared gradients."""
STEPS = (1, 5)
"""After how many training steps weights, slots and running statistics are compared."""
MANY_STEPS = (1, 5, 12)
"""The same of a network so small that twelve cost nothing."""
FEW_STEPS = (1, 2)
"""The same where five are too much work: the second step shows what the first one left
(velocity, how far a mean of gradients is corrected, running statistics).
"""
CHECK_BATCH = 4
"""Largest batch of a check."""
