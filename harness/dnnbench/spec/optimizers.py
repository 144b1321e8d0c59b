"""How gradients g change parameters p: step t counts from 1, every slot starts at 0."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat

from .tensor import Spec

Rate = Annotated[float, Field(ge=0, lt=1)]


class Sgd(Spec):
    """p -= lr g.   Source: Robbins & Monro 1951."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 0.1
    slots: ClassVar[tuple[str, ...]] = ()
    formula: ClassVar[str] = "p -= lr g"
    flops_per_parameter: ClassVar[int] = 2


class Momentum(Spec):
    """b = momentum b + g; p -= lr b.   Source: Polyak 1964; Sutskever et al. 2013 in this form."""

    kind: Literal["momentum"] = "momentum"
    learning_rate: PositiveFloat = 0.05
    momentum: Rate = 0.9
    slots: ClassVar[tuple[str, ...]] = ("velocity",)
    formula: ClassVar[str] = "b = mu b + g;  p -= lr b"
    flops_per_parameter: ClassVar[int] = 4


class Adam(Spec):
    """m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; p -= lr mhat / (sqrt(vhat) + epsilon).

    mhat = m / (1 - b1^t), vhat = v / (1 - b2^t).   Source: Kingma & Ba 2014, arXiv 1412.6980, algorithm 1.
    """

    kind: Literal["adam"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    beta1: Rate = 0.9
    beta2: Rate = 0.999
    epsilon: PositiveFloat = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")
    formula: ClassVar[str] = "p -= lr mhat / (sqrt(vhat) + eps)"
    flops_per_parameter: ClassVar[int] = 12


Optimizer = Annotated[Sgd | Momentum | Adam, Field(discriminator="kind")]
