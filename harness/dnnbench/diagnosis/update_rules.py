"""Wrong rules by which optimizers are known to change weights, run beside an optimizer that is replayed alone."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..agreement.observing import Tensors
from ..spec.optimizers import Optimizer

Slots = dict[str, dict[str, np.ndarray]]


class Rule(NamedTuple):
    """One step as some framework takes it.

    spec: the optimizer that it amounts to, None where it does not apply.   prepare: gradients after clipping and decay.
    step: (optimizer, p, g, slots of p, t) changes p and its slots in place.   times: steps taken for one.
    first: number of the first step.
    """

    name: str
    spec: Callable[[Optimizer], Optimizer | None] = lambda optimizer: optimizer
    prepare: "Callable[[Optimizer, Tensors, Tensors], Tensors] | None" = None
    step: Callable[[Optimizer, np.ndarray, np.ndarray, dict, int], None] | None = None
    times: int = 1
    first: int = 1


def trajectory_under(
    rule: Rule, optimizer: Optimizer, weights: Tensors, targets: Tensors, elements: int, steps: Sequence[int]
) -> Tensors | None:
    """Weights' changes and slots after `steps` of a rule, by the keys of the check; None where it does not apply.

    The loss is the mean over `elements` of (p - target)^2, as `optimizer_alone` sets it up.
    """
    spec = rule.spec(optimizer)
    if spec is None:
        return None
    p = {name: array.astype(np.float64) for name, array in weights.items()}
    slots = {name: {slot: np.zeros_like(array) for slot in spec.slots} for name, array in p.items()}
    seen: Tensors = {}
    for k in range(1, max(steps) + 1):
        gradients = {name: 2 * (p[name] - targets[name]) / elements for name in p}
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for i in range(rule.times):
                _step(rule, spec, p, dict(gradients), slots, rule.first + (k - 1) * rule.times + i)
        if k in steps:
            seen |= _standing(f"{optimizer.kind}@{k}", optimizer, p, weights, slots)
    return seen


def _standing(when: str, optimizer: Optimizer, p: Tensors, start: Tensors, slots: Slots) -> Tensors:
    moved = {f"{when}/weights/{name}": p[name] - start[name] for name in p}
    kept = {f"{when}/slots/{s}/{n}": slots[n][s].copy() for n in p for s in optimizer.slots if s in slots[n]}
    return moved | kept


def _step(rule: Rule, optimizer: Optimizer, p: Tensors, gradients: Tensors, slots: Slots, t: int) -> None:
    gradients = (rule.prepare or clipped_and_decayed)(optimizer, p, gradients)
    change = rule.step or RIGHT[optimizer.kind]
    for name in p:
        if optimizer.kind == "adamw" and rule.step is not coupled_adam:
            p[name] *= 1 - optimizer.rate(t) * optimizer.weight_decay
        change(optimizer, p[name], gradients[name], slots[name], t)


def clipped_and_decayed(optimizer, p, gradients, epsilon=0.0):
    """The spec's order: clipping by the norm of all, then decay (AdamW's is taken from the weights)."""
    if optimizer.clip_norm:
        norm = np.sqrt(sum(np.sum(g * g) for g in gradients.values())) + epsilon
        factor = optimizer.clip_norm / max(norm, optimizer.clip_norm)
        gradients = {name: g * factor for name, g in gradients.items()}
    return _decayed(optimizer, p, gradients)


def _decayed(optimizer, p, gradients):
    if optimizer.kind == "adamw" or not optimizer.weight_decay:
        return gradients
    return {name: g + optimizer.weight_decay * p[name] for name, g in gradients.items()}


def _clipped_after_decay(optimizer, p, gradients):
    decayed = _decayed(optimizer, p, gradients)
    return clipped_and_decayed(optimizer.model_copy(update={"weight_decay": 0.0}), p, decayed)


def _clipped_one_by_one(optimizer, p, gradients):
    return {n: clipped_and_decayed(optimizer, {n: p[n]}, {n: g})[n] for n, g in gradients.items()}


def _clipped_by_value(optimizer, p, gradients):
    bound = optimizer.clip_norm or np.inf
    return _decayed(optimizer, p, {name: np.clip(g, -bound, bound) for name, g in gradients.items()})


def _clipped_with_epsilon(optimizer, p, gradients):
    return clipped_and_decayed(optimizer, p, gradients, epsilon=1e-6)


def sgd(o, p, g, slots, t):
    p -= o.rate(t) * g


def momentum(o, p, g, slots, t, dampening=0.0, nesterov=False):
    b = slots["velocity"]
    b *= o.momentum
    b += (1 - dampening) * g
    p -= o.rate(t) * (g + o.momentum * b if nesterov else b)


def nesterov(o, p, g, slots, t):
    momentum(o, p, g, slots, t, nesterov=True)


def _dampened(o, p, g, slots, t):
    momentum(o, p, g, slots, t, dampening=o.momentum, nesterov=o.kind == "nesterov")


def _rate_in_velocity(o, p, g, slots, t):
    b = slots["velocity"]
    b *= o.momentum
    b += o.rate(t) * g
    p -= o.rate(t) * g + o.momentum * b if o.kind == "nesterov" else b


def _velocity_before(o, p, g, slots, t):
    p -= o.rate(t) * slots["velocity"]
    slots["velocity"] *= o.momentum
    slots["velocity"] += g


def rmsprop(o, p, g, slots, t, inside=False):
    v = slots["mean_square"]
    v *= o.decay
    v += (1 - o.decay) * g * g
    p -= o.rate(t) * g / (np.sqrt(v + o.epsilon) if inside else np.sqrt(v) + o.epsilon)


def _rmsprop_inside(o, p, g, slots, t):
    rmsprop(o, p, g, slots, t, inside=True)


def adam(o, p, g, slots, t, first=True, second=True, epsilon="outside"):
    m, v = slots["first_moment"], slots["second_moment"]
    m += (1 - o.beta1) * (g - m)
    v += (1 - o.beta2) * (g * g - v)
    m_hat = m / (1 - o.beta1**t) if first else m
    correction = 1 - o.beta2**t if second else 1.0
    roots = {
        "outside": lambda: np.sqrt(v / correction) + o.epsilon,
        "inside": lambda: np.sqrt(v / correction + o.epsilon),
        "squared inside": lambda: np.sqrt(v / correction + o.epsilon**2),
        "hat": lambda: (np.sqrt(v) + o.epsilon) / np.sqrt(correction),
    }
    p -= o.rate(t) * m_hat / roots[epsilon]()


def coupled_adam(o, p, g, slots, t):
    adam(o, p, g + o.weight_decay * p, slots, t)


def _adam(**how):
    return lambda o, p, g, slots, t: adam(o, p, g, slots, t, **how)


RIGHT = {"sgd": sgd, "momentum": momentum, "nesterov": nesterov, "rmsprop": rmsprop, "adam": adam, "adamw": adam}


def _only(*kinds, **changes):
    """The optimizer with other constants, for some kinds."""
    return lambda o: o.model_copy(update=changes) if o.kind in kinds else None


def _where(condition, **changes):
    return lambda o: o.model_copy(update=changes) if condition(o) else None


def _for(*kinds):
    return lambda o: o if o.kind in kinds else None


def _decays_in_adam(o):
    return o.kind == "adam" and o.weight_decay > 0


def _swapped_betas(o):
    adaptive = o.kind in ("adam", "adamw")
    return o.model_copy(update={"beta1": o.beta2, "beta2": o.beta1}) if adaptive else None


ADAMS, ROOTED = ("adam", "adamw"), ("adam", "adamw", "rmsprop")
RULES = (
    Rule("weights not updated", step=lambda o, p, g, slots, t: None),
    Rule("the step taken twice", times=2),
    Rule("steps counted from 0", _where(lambda o: not o.schedule or o.schedule.warmup), first=0),
    Rule("steps counted from 2 (one step ahead)", first=2),
    Rule("sign of the step", step=lambda o, p, g, slots, t: RIGHT[o.kind](o, p, -g, slots, t)),
    Rule("no bias correction", _for(*ADAMS), step=_adam(first=False, second=False)),
    Rule("no bias correction of the first moment", _for(*ADAMS), step=_adam(first=False)),
    Rule("no bias correction of the second moment", _for(*ADAMS), step=_adam(second=False)),
    Rule("epsilon inside the root", _for(*ADAMS), step=_adam(epsilon="inside")),
    Rule("epsilon squared inside the root", _for(*ADAMS), step=_adam(epsilon="squared inside")),
    Rule("epsilon inside the root", _for("rmsprop"), step=_rmsprop_inside),
    Rule("epsilon-hat (added before the bias correction)", _for(*ADAMS), step=_adam(epsilon="hat")),
    Rule("beta1 and beta2 swapped", _swapped_betas),
    *(Rule(f"epsilon {e:g}", _only(*ROOTED, epsilon=e)) for e in (1e-10, 1e-8, 1e-7, 1e-6, 1e-3)),
    *(Rule(f"decay {d:g}", _only("rmsprop", decay=d)) for d in (0.9, 0.95, 0.99)),
    Rule("learning rate folded into the velocity", _for("momentum", "nesterov"), step=_rate_in_velocity),
    Rule("dampening (new gradients weighed by 1 - momentum)", _for("momentum", "nesterov"), step=_dampened),
    Rule("the velocity of the step before", _for("momentum"), step=_velocity_before),
    Rule("Nesterov's step", _for("momentum"), step=nesterov),
    Rule("plain momentum's step", _for("nesterov"), step=momentum),
    Rule("weight decay left out", _where(lambda o: o.weight_decay, weight_decay=0.0)),
    *(Rule(f"weight decay {d:g}", _where(lambda o: True, weight_decay=d)) for d in (1e-4, 4e-3, 1e-2)),
    Rule("weight decay coupled (added to the gradient)", _for("adamw"), step=coupled_adam),
    Rule("weight decay decoupled (taken from the weights)", _where(_decays_in_adam, kind="adamw")),
    Rule("clipping left out", _where(lambda o: o.clip_norm, clip_norm=None)),
    Rule("clipping after weight decay", _where(lambda o: o.clip_norm), prepare=_clipped_after_decay),
    Rule("clipping each parameter by its own norm", _where(lambda o: o.clip_norm), prepare=_clipped_one_by_one),
    Rule("clipping by value", _where(lambda o: o.clip_norm), prepare=_clipped_by_value),
    Rule("1e-6 added to the norm that clips", _where(lambda o: o.clip_norm), prepare=_clipped_with_epsilon),
    Rule("schedule left out", _where(lambda o: o.schedule, schedule=None)),
)
"""Tried in this order."""
