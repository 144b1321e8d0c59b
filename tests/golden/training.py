"""Losses by definition, and optimizers as sums over all gradients so far instead
of running averages.
"""

import numpy as np
from definitions import mean_of, total
from mpmath import mp, mpf


def cross_entropy(loss, z, labels):
    """-sum_k q_k log p_k, where p_k is 1 / sum_j exp(z_j - z_k)."""
    classes, e, terms = z.shape[-1], mpf(loss.get("smoothing", 0)), []
    for i in np.ndindex(*labels.shape):
        if labels[i] == loss.get("ignored"):
            continue
        log_p = [
            -mp.log(total(mp.exp(z[(*i, j)] - z[(*i, k)]) for j in range(classes)))
            for k in range(classes)
        ]
        q = [(1 - e) * (k == labels[i]) + e / classes for k in range(classes)]
        terms.append(-total(w * l for w, l in zip(q, log_p, strict=True)))
    return mean_of(terms)


def bce_with_logits(loss, z, targets):
    """-t log p - (1 - t) log (1 - p), p = 1 / (1 + exp(-z))."""
    p = [1 / (1 + mp.exp(-v)) for v in z.flat]
    return mean_of(
        -t * mp.log(p_) - (1 - t) * mp.log(1 - p_) for t, p_ in zip(targets.flat, p, strict=True)
    )


def mse(loss, z, targets):
    return mean_of((v - t) ** 2 for v, t in zip(z.flat, targets.flat, strict=True))


def rate(optimizer, t):
    """Learning rate of step t, from 1."""
    lr, schedule = mpf(optimizer["learning_rate"]), optimizer.get("schedule")
    if not schedule:
        return lr
    warmup, floor = schedule.get("warmup", 0), mpf(schedule.get("floor", 0))
    if t <= warmup:
        return lr * t / warmup
    share = min(mpf(t - warmup) / (schedule["steps"] - warmup), mpf(1))
    return lr * (floor + (1 - floor) * mp.cos(mp.pi * share / 2) ** 2)


def clipped(optimizer, gradients):
    limit = optimizer.get("clip_norm")
    norm = mp.sqrt(total(g * g for array in gradients.values() for g in array.flat))
    if limit is None or norm <= limit:
        return gradients
    return {name: g * (mpf(limit) / norm) for name, g in gradients.items()}


def faded(decay, gs, weight=1):
    """weight sum_s decay^(t - s) g_s over all gradients so far."""
    return weight * sum(decay ** (len(gs) - 1 - s) * g for s, g in enumerate(gs))


def sgd(o, gs, t):
    """(what is taken from p over the rate, slots), from all gradients so far."""
    return gs[-1], {}


def momentum(o, gs, t):
    b = faded(mpf(o["momentum"]), gs)
    return b, {"velocity": b}


def nesterov(o, gs, t):
    b = faded(mpf(o["momentum"]), gs)
    return gs[-1] + mpf(o["momentum"]) * b, {"velocity": b}


def rmsprop(o, gs, t):
    decay = mpf(o["decay"])
    v = faded(decay, [g * g for g in gs], 1 - decay)
    return gs[-1] / (roots(v) + mpf(o["epsilon"])), {"mean_square": v}


def adam(o, gs, t):
    b1, b2 = mpf(o["beta1"]), mpf(o["beta2"])
    m, v = faded(b1, gs, 1 - b1), faded(b2, [g * g for g in gs], 1 - b2)
    taken = m / (1 - b1**t) / (roots(v / (1 - b2**t)) + mpf(o["epsilon"]))
    return taken, {"first_moment": m, "second_moment": v}


adamw = adam


def roots(x):
    return np.vectorize(mp.sqrt, otypes=[object])(x)


def trajectory(optimizer, weights, gradients_of, steps):
    """After each step (weights, slots); gradients_of(weights, t) gives the gradients of step t."""
    step, history = globals()[optimizer["kind"]], {name: [] for name in weights}
    for t in range(1, steps + 1):
        found, lr, decay = (
            clipped(optimizer, gradients_of(weights, t)),
            rate(optimizer, t),
            mpf(optimizer["weight_decay"]),
        )
        slots, moved = {}, {}
        for name, p in weights.items():
            apart = optimizer["kind"] == "adamw"
            history[name].append(found[name] if apart else found[name] + decay * p)
            taken, own = step(optimizer, history[name], t)
            moved[name] = (p * (1 - lr * decay) if apart else p) - lr * taken
            slots |= {f"{slot}/{name}": array for slot, array in own.items()}
        weights = moved
        yield weights, slots
