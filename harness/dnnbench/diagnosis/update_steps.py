"""How optimizers change a parameter p by its gradient g: the spec's steps, and others.

Each step changes p and its slots in place; t counts steps from 1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
Slots = dict[str, np.ndarray]
"""A parameter's slots by name."""
Step = Callable[[Any, np.ndarray, np.ndarray, Slots, int], None]
"""(optimizer, p, g, slots of p, t); an optimizer's attributes differ from kind to kind."""
Prepare = Callable[[Any, Arrays, Arrays], Arrays]
"""(optimizer, parameters, gradients) -> gradients after clipping and decay"""


def clipped_and_decayed(
    optimizer: Any, p: Arrays, gradients: Arrays, epsilon: float = 0.0
) -> Arrays:
    """The spec's order: clipping by the norm of all, then decay (AdamW takes its from p)."""
    if optimizer.clip_norm:
        norm = np.sqrt(sum(np.sum(g * g) for g in gradients.values())) + epsilon
        factor = optimizer.clip_norm / max(norm, optimizer.clip_norm)
        gradients = {name: g * factor for name, g in gradients.items()}
    return decayed(optimizer, p, gradients)


def decayed(optimizer: Any, p: Arrays, gradients: Arrays) -> Arrays:
    if optimizer.kind == "adamw" or not optimizer.weight_decay:
        return gradients
    return {name: g + optimizer.weight_decay * p[name] for name, g in gradients.items()}


def clipped(optimizer: Any, p: Arrays, gradients: Arrays) -> Arrays:
    """Without decay."""
    undecayed = optimizer.model_copy(update={"weight_decay": 0.0})
    return clipped_and_decayed(undecayed, p, gradients)


def clipped_after_decay(optimizer: Any, p: Arrays, gradients: Arrays) -> Arrays:
    gradients = decayed(optimizer, p, gradients)
    undecayed = optimizer.model_copy(update={"weight_decay": 0.0})
    return clipped_and_decayed(undecayed, p, gradients)


def clipped_one_by_one(optimizer: Any, p: Arrays, gradients: Arrays) -> Arrays:
    return {n: clipped_and_decayed(optimizer, {n: p[n]}, {n: g})[n] for n, g in gradients.items()}


def clipped_by_value(optimizer: Any, p: Arrays, gradients: Arrays) -> Arrays:
    bound = optimizer.clip_norm or np.inf
    return decayed(optimizer, p, {name: np.clip(g, -bound, bound) for name, g in gradients.items()})


def clipped_with_epsilon(optimizer: Any, p: Arrays, gradients: Arrays) -> Arrays:
    return clipped_and_decayed(optimizer, p, gradients, epsilon=1e-6)


def sgd(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    p -= o.rate(t) * g


def momentum(
    o: Any,
    p: np.ndarray,
    g: np.ndarray,
    slots: Slots,
    t: int,
    dampening: float = 0.0,
    nesterov: bool = False,
) -> None:
    b = slots["velocity"]
    b *= o.momentum
    b += (1 - dampening) * g
    change = g + o.momentum * b if nesterov else b
    p -= o.rate(t) * change


def nesterov(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    momentum(o, p, g, slots, t, nesterov=True)


def dampened(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    momentum(o, p, g, slots, t, dampening=o.momentum, nesterov=o.kind == "nesterov")


def rate_in_velocity(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    b = slots["velocity"]
    b *= o.momentum
    b += o.rate(t) * g
    p -= o.rate(t) * g + o.momentum * b if o.kind == "nesterov" else b


def velocity_before(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    p -= o.rate(t) * slots["velocity"]
    slots["velocity"] *= o.momentum
    slots["velocity"] += g


def rmsprop(
    o: Any,
    p: np.ndarray,
    g: np.ndarray,
    slots: Slots,
    t: int,
    inside: bool = False,
) -> None:
    v = slots["mean_square"]
    v *= o.decay
    v += (1 - o.decay) * g * g
    root = np.sqrt(v + o.epsilon) if inside else np.sqrt(v) + o.epsilon
    p -= o.rate(t) * g / root


def rmsprop_inside(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    rmsprop(o, p, g, slots, t, inside=True)


def adam(
    o: Any,
    p: np.ndarray,
    g: np.ndarray,
    slots: Slots,
    t: int,
    first: bool = True,
    second: bool = True,
    epsilon: str = "outside",
) -> None:
    m, v = slots["first_moment"], slots["second_moment"]
    m += (1 - o.beta1) * (g - m)
    v += (1 - o.beta2) * (g * g - v)
    m_hat = m / (1 - o.beta1**t) if first else m
    correction = 1 - o.beta2**t if second else 1.0
    p -= o.rate(t) * m_hat / _adam_root(v, correction, o.epsilon, epsilon)


def _adam_root(v: np.ndarray, correction: float, epsilon: float, place: str) -> np.ndarray:
    """What Adam divides by, with epsilon in one of the places where it has been seen."""
    root: np.ndarray = np.sqrt(v / correction) + epsilon
    match place:
        case "inside":
            root = np.sqrt(v / correction + epsilon)
        case "squared inside":
            root = np.sqrt(v / correction + epsilon**2)
        case "hat":
            root = (np.sqrt(v) + epsilon) / np.sqrt(correction)
    return root


def largest_moment(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    """AMSGrad: the largest vhat so far in the present one's place."""
    before = p.copy()
    adam(o, p, g, slots, t)
    m_hat = slots["first_moment"] / (1 - o.beta1**t)
    v_hat = slots["second_moment"] / (1 - o.beta2**t)
    most = np.maximum(slots.get("largest", v_hat), v_hat)
    slots["largest"] = most
    p[...] = before - o.rate(t) * m_hat / (np.sqrt(most) + o.epsilon)


def decayed_afterwards(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    """The step, and then the decay of what it has made of the weights."""
    RIGHT[o.kind](o, p, g, slots, t)
    p *= 1 - o.rate(t) * o.weight_decay


def coupled_adam(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    adam(o, p, g + o.weight_decay * p, slots, t)


def adam_with(first: bool = True, second: bool = True, epsilon: str = "outside") -> Step:
    """Adam with parts of it left out or moved."""

    def step(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
        adam(o, p, g, slots, t, first, second, epsilon)

    return step


RIGHT: dict[str, Step] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adam,
}
"""The spec's own steps, by kind of optimizer."""
