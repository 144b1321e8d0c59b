"""The learning rate of a step, as scripts hold it."""

from math import cos, pi


def scheduled(step, rate, warmup, steps, floor):
    """Rises for `warmup` steps, then falls along a cosine; steps count from 1."""
    if step <= warmup:
        return rate * step / warmup
    share = min((step - warmup) / max(steps - warmup, 1), 1)
    return rate * (floor + (1 - floor) * (1 + cos(pi * share)) / 2)
