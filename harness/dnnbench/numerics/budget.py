"""Every constant of the agreement rule, in one table. A test caps them.

u is the unit roundoff of a type. sigma is the error of honest float32, or of a lower precision, measured
on the reference itself.
"""

from types import MappingProxyType
from typing import NamedTuple


class Budget(NamedTuple):
    """How much error the rule allows a tensor; see `allowance` in compare.py."""

    noise: float = 10
    """float32: times the larger of sigma32 and `floor` u S."""
    noise_small: float = 30
    """the same for tensors of `small` elements or fewer."""
    small: int = 10
    floor: float = 4
    exact: float = 64
    """float64: times sigma32 scaled to float64, and times u S at least."""
    exact_cap: float = 1e-9
    """float64: never more than this share of S."""
    local: float = 30
    """largest single error, in allowances."""
    kink: float = 2
    """below float64: times sigma_kink more for gradients and what they move."""
    floor_low: float = 1
    """the same in lower precisions, whose sigma is measured at their own size of error."""
    null: float = 1e-10
    """a tensor below this share of the largest gradient's rms is null."""
    moved: float = 1e3
    """a weight whose reference moves by more than this times u rms(p) must move."""
    work_flops: float = 2e10
    """above this much work in five training steps, one step is checked."""


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
"""Optimizers that divide by the gradient's own size: a gradient of rounding alone moves weights as far as any other."""
STEPS = (1, 5)
"""After how many training steps weights, slots and running statistics are compared."""
CHECK_BATCH = 4
"""Largest batch of a check."""
