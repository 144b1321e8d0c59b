"""Random thinning."""

from typing import ClassVar, Literal

from pydantic import Field

from .activation import Activation
from .base import Types


class Thinning(Activation):
    """Training: y = x m / (1 - rate), m = 1 with probability 1 - rate, else 0. Inference: y = x.

    The mask m is an input where results are checked, the framework's own draw where time is taken.
    """

    rate: float = Field(0.5, ge=0, lt=1)
    formula: ClassVar[str] = "y = x m / (1 - rate)"
    random: ClassVar[bool] = True
    flops_per_element: ClassVar[int] = 2

    def mask_shape(self, inputs: Types) -> tuple[int, ...]:
        """Shape of one example's mask."""
        return inputs[0].shape


class Dropout(Thinning):
    """Thinning of single elements: m has x's shape.   Source: Srivastava et al. 2014, JMLR 15."""

    kind: Literal["dropout"] = "dropout"


class StochasticDepth(Thinning):
    """Thinning of whole examples: m is (N,), one draw an example.

    Source: Huang et al. 2016, arXiv 1603.09382.
    """

    kind: Literal["stochastic_depth"] = "stochastic_depth"

    def mask_shape(self, inputs: Types) -> tuple[int, ...]:
        return ()
