"""How gradients g change parameters p: step t counts from 1, every slot starts at 0."""

from math import cos, pi
from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from .tensor import Spec

Share = Annotated[float, Field(ge=0, lt=1)]


class WarmupCosine(Spec):
    """A learning rate that rises linearly for w = `warmup` steps, then falls along a cosine.

    At T = `steps` it has come to `floor` lr.
    lr_t = lr t / w for t <= w; then, with s = min((t - w) / (T - w), 1),
    lr (floor + (1 - floor) (1 + cos(pi s)) / 2).
    Source: Loshchilov & Hutter 2016, arXiv 1608.03983.
    """

    warmup: NonNegativeInt = 0
    steps: PositiveInt
    floor: Share = 0.0

    def factor(self, t: int) -> float:
        """lr_t / lr of step t, counted from 1."""
        if t <= self.warmup:
            return t / self.warmup
        share = min((t - self.warmup) / max(self.steps - self.warmup, 1), 1.0)
        return self.floor + (1 - self.floor) * (1 + cos(pi * share)) / 2


class _Optimizer(Spec):
    """What all optimizers share.

    clip_norm: first g *= clip_norm / max(norm, clip_norm), norm over the gradients
    of all parameters together.
    weight_decay: then g += weight_decay p (AdamW takes it from p instead).
    schedule: the rate of each step is known before it.
    """

    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = 0.0
    clip_norm: PositiveFloat | None = None
    schedule: WarmupCosine | None = None

    def rate(self, t: int) -> float:
        """Learning rate of step t, counted from 1."""
        return self.learning_rate * (self.schedule.factor(t) if self.schedule else 1.0)


class Sgd(_Optimizer):
    """p -= lr g.   Source: Robbins & Monro 1951."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 0.1
    slots: ClassVar[tuple[str, ...]] = ()
    formula: ClassVar[str] = "p -= lr g"
    flops_per_parameter: ClassVar[int] = 2


class Momentum(_Optimizer):
    """b = momentum b + g; p -= lr b.   Source: Polyak 1964; Sutskever et al. 2013 in this form."""

    kind: Literal["momentum"] = "momentum"
    learning_rate: PositiveFloat = 0.05
    momentum: Share = 0.9
    slots: ClassVar[tuple[str, ...]] = ("velocity",)
    formula: ClassVar[str] = "b = mu b + g;  p -= lr b"
    flops_per_parameter: ClassVar[int] = 4


class Nesterov(_Optimizer):
    """b = momentum b + g; p -= lr (g + momentum b).

    Source: Nesterov 1983; Sutskever et al. 2013 in this form.
    """

    kind: Literal["nesterov"] = "nesterov"
    learning_rate: PositiveFloat = 0.05
    momentum: Share = 0.9
    slots: ClassVar[tuple[str, ...]] = ("velocity",)
    formula: ClassVar[str] = "b = mu b + g;  p -= lr (g + mu b)"
    flops_per_parameter: ClassVar[int] = 6


class Rmsprop(_Optimizer):
    """v = decay v + (1 - decay) g^2; p -= lr g / (sqrt(v) + epsilon).

    Source: Tieleman & Hinton 2012, lecture 6.5.
    """

    kind: Literal["rmsprop"] = "rmsprop"
    learning_rate: PositiveFloat = 1e-3
    decay: Share = 0.99
    epsilon: PositiveFloat = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("mean_square",)
    formula: ClassVar[str] = "p -= lr g / (sqrt(v) + eps)"
    flops_per_parameter: ClassVar[int] = 8


class _Moments(_Optimizer):
    """Keeps running means of the gradient and of its square."""

    kind: str
    learning_rate: PositiveFloat = 1e-3
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: PositiveFloat = 1e-8
    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")


class Adam(_Moments):
    """m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; p -= lr mhat / (sqrt(vhat) + epsilon).

    mhat = m / (1 - b1^t), vhat = v / (1 - b2^t).
    Source: Kingma & Ba 2014, arXiv 1412.6980, algorithm 1.
    """

    kind: Literal["adam"] = "adam"
    formula: ClassVar[str] = "p -= lr mhat / (sqrt(vhat) + eps)"
    flops_per_parameter: ClassVar[int] = 12


class AdamW(_Moments):
    """p *= 1 - lr weight_decay, then Adam's step without decay.

    Source: Loshchilov & Hutter 2017, arXiv 1711.05101.
    """

    kind: Literal["adamw"] = "adamw"
    weight_decay: NonNegativeFloat = 0.01
    formula: ClassVar[str] = "p *= 1 - lr wd;  p -= lr mhat / (sqrt(vhat) + eps)"
    flops_per_parameter: ClassVar[int] = 14


Optimizer = Annotated[
    Sgd | Momentum | Nesterov | Rmsprop | Adam | AdamW, Field(discriminator="kind")
]
