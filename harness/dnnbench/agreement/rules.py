"""How far a tensor may stray: docs/agreement.md, 'The rule', a function a rule.

R is the reference, A the contender, S = rms(R), u the unit roundoff of the type.
"""

from dataclasses import dataclass

import numpy as np

from ..spec.optimizers import Adam, AdamW, Optimizer, Rmsprop
from .allowances import ADAPTIVE, BUDGET, SQUARES, UNIT
from .deviation import most, rms
from .keys import Group, TensorKey, gradient_of
from .rule_context import RuleContext


@dataclass(frozen=True)
class Allowance:
    """How far a tensor may stray, by the rules that allow it."""

    noise: float
    """rule 2: what honest rounding does to it, with room"""
    peak: float
    """rule 3: what honest rounding does to a single element, with room"""
    weights: float
    """rule 4: the rounding of the weights themselves, in a change of weights"""
    kinks: float
    """rule 5: choices of a relu or a max that nearly tie"""
    squares: float
    """rule 6: the square of a gradient that is rounding alone"""
    flips: float
    """rule 7: steps the other way, as a part of the rmse"""
    flipped_step: float
    """rule 7: the same of a single element"""
    null: float
    """rule 9: rounding in a gradient that is zero altogether"""

    @property
    def rmse(self) -> float:
        """Largest root mean square of A - R."""
        rounding = most(self.noise, self.squares, self.null)
        return rounding + self.weights + self.kinks + self.flips

    @property
    def unflipped(self) -> float:
        """Largest |A - R| of an element whose step goes the right way (rule 3)."""
        return most(BUDGET.local * self.rmse, self.peak)

    @property
    def largest(self) -> float:
        """Largest |A - R| of any element."""
        return self.unflipped + self.flipped_step


def allowance_of(key: TensorKey, context: RuleContext) -> Allowance:
    """What the rules together allow a tensor, worked out once."""
    if key not in context.allowances:
        context.allowances[key] = _allowance_of(key, context)
    return context.allowances[key]


def _allowance_of(key: TensorKey, context: RuleContext) -> Allowance:
    return Allowance(
        noise=noise(key, context),
        peak=peak(key, context),
        weights=rounding_of_weights(key, context),
        kinks=kinks(key, context),
        squares=squared_noise(key, context),
        flips=flips(key, context),
        flipped_step=flipped_step(key, context),
        null=null_gradient(key, context),
    )


def noise(key: TensorKey, context: RuleContext) -> float:
    """Rule 2: so many times the larger of the honest error and a few u S; a thousand times those
    behind a lift of a thousand.
    """
    floor = BUDGET.floor if context.unit <= UNIT["float32"] else BUDGET.floor_low
    if key.far:
        floor *= BUDGET.far
    least = floor * context.unit * rms(context.reference.tensors[key])
    return context.times(key) * most(context.honest_error(key), least)


def peak(key: TensorKey, context: RuleContext) -> float:
    """Rule 3: so many times the largest single error of an honest evaluation."""
    return context.times(key) * context.reference.peak[key]


def rounding_of_weights(key: TensorKey, context: RuleContext) -> float:
    """Rule 4: p_k - p_0 carries the rounding of p, u rms(p) sqrt(k).

    In float64 the reference's too.
    """
    if key.group is not Group.WEIGHTS:
        return 0.0
    rounded = 2 if context.exact else 1
    size = context.weight_rms[key.name]
    return float(rounded * context.unit * size * key.step**0.5)


def kinks(key: TensorKey, context: RuleContext) -> float:
    """Rule 5: below float64, twice the effect of flipping every choice that nearly ties.

    From the second step on the flipped evaluation is an honest one, and `noise` holds it.
    """
    if context.exact or not key.moved_by_gradients or key.step > 1:
        return 0.0
    return BUDGET.kink * context.reference.sigma_kink[key]


def squared_noise(key: TensorKey, context: RuleContext) -> float:
    """Rule 6: what a gradient's allowed errors make of the running mean v of its square.

    2 a rms(sqrt v) + a b: |sqrt(v') - sqrt(v)| is at most sqrt(1 - decay^k) of the gradient's
    error, a of its rmse and b of its largest. Where noise outweighs the gradient,
    what an honest error makes of its square is not in proportion to sigma.
    """
    if context.exact or key.slot not in SQUARES:
        return 0.0
    gradient = gradient_of(key.name)
    spread = noise(gradient, context)
    single = most(BUDGET.local * spread, peak(gradient, context))
    share = (1 - _decay_of_squares(context.optimizer(key)) ** key.step) ** 0.5
    a, b = share * np.array([spread, single])
    mean_square = np.mean(context.reference.tensors[key])
    return float(2 * a * mean_square**0.5 + a * b)


def _decay_of_squares(optimizer: Optimizer) -> float:
    """How much of its running mean of squares an optimizer keeps in a step."""
    match optimizer:
        case Rmsprop():
            return optimizer.decay
        case Adam() | AdamW():
            return optimizer.beta2
    raise TypeError(f"{optimizer.kind} keeps no squares of gradients")


def flipped_step(key: TensorKey, context: RuleContext) -> float:
    """Rule 7: steps of an adaptive optimizer by gradients of either sign lie 2 lr apart, each;
    by a gradient of a sure sign a part of lr, as large as the gradient's own part of rounding.
    """
    if not _moved_by_signs(key):
        return 0.0
    parts = unsure_parts(key, context)
    return float(context.optimizer(key).learning_rate * key.step * np.max(parts))


def flips(key: TensorKey, context: RuleContext) -> float:
    """Rule 7, in the rmse: of all elements together."""
    if not _moved_by_signs(key):
        return 0.0
    parts = unsure_parts(key, context)
    return float(context.optimizer(key).learning_rate * key.step * rms(parts))


def _moved_by_signs(key: TensorKey) -> bool:
    return key.group is Group.WEIGHTS and key.optimizer in ADAPTIVE


def unsure_parts(key: TensorKey, context: RuleContext) -> np.ndarray:
    """How much of a step by each gradient of a parameter is not sure, in lr.

    Of the first step, f(|g|) - f(|g| - rounding) with f(g) = g / (|g| + epsilon), as far as g alone
    makes it: only where |g| is near epsilon does a sure sign leave much.
    """
    gradient, optimizer = gradient_of(key.name), context.optimizer(key)
    sizes, rounding = np.abs(context.reference.tensors[gradient]), noise(gradient, context)
    if key.step == 1 and _by_its_gradient_alone(optimizer):
        parts = _first_step(optimizer, sizes) - _first_step(optimizer, sizes - rounding)
        unsure: np.ndarray = np.minimum(parts, 2.0)
        return unsure
    sure = sizes > rounding
    return np.where(sure, np.divide(rounding, sizes, out=np.zeros_like(sizes), where=sure), 2.0)


def _by_its_gradient_alone(optimizer: Optimizer) -> bool:
    """Whether nothing changes a gradient before it moves the first and second moment."""
    decays = optimizer.weight_decay > 0 and not isinstance(optimizer, AdamW)
    return optimizer.clip_norm is None and not decays


def _first_step(optimizer: Optimizer, g: np.ndarray) -> np.ndarray:
    """The first step, in lr: Adam's moments are corrected there, and RMSprop's mean is not."""
    match optimizer:
        case Rmsprop():
            root = (1 - optimizer.decay) ** 0.5
        case Adam() | AdamW():
            root = 1.0
        case _:
            raise TypeError(f"{optimizer.kind} does not divide by a gradient's size")
    step: np.ndarray = g / (root * np.abs(g) + optimizer.epsilon)
    return step


def sign_unsure(key: TensorKey, context: RuleContext) -> np.ndarray:
    """Where the parameter's gradient lies within rounding of zero, and may have either sign."""
    gradient = gradient_of(key.name)
    return np.abs(context.reference.tensors[gradient]) <= noise(gradient, context)


def null_gradient(key: TensorKey, context: RuleContext) -> float:
    """Rule 9: what rounding leaves of a gradient that is zero in every evaluation,
    and of its slots.

    As of queries where there is a single key: y (g - sum g y) is 0 for y = 1,
    but not in every order of the sum.
    """
    at_start = not key.optimizer
    backward = key.group in (Group.GRADIENTS, Group.COTANGENTS) and at_start
    if not (backward or key.group is Group.SLOTS):
        return 0.0
    if not context.reference.zero[key].all():
        return 0.0
    left = context.times(key) * context.unit * context.largest_gradient
    return left**2 if key.slot in SQUARES else left
