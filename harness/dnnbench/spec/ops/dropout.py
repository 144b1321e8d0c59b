"""Random thinning."""

from typing import ClassVar, Literal

from pydantic import Field

from .activation import Activation


class Dropout(Activation):
    """Training: y = x m / (1 - rate), m = 1 with probability 1 - rate, else 0. Inference: y = x.

    The mask m has x's shape: an input where results are checked, the framework's own draw where time is taken.
    Source: Srivastava et al. 2014, JMLR 15.
    """

    kind: Literal["dropout"] = "dropout"
    rate: float = Field(0.5, ge=0, lt=1)
    formula: ClassVar[str] = "y = x m / (1 - rate)"
    random: ClassVar[bool] = True
    flops_per_element: ClassVar[int] = 2
