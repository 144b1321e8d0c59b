"""Simulated visits whose truth is known, as the statistics take them."""

import math

import numpy as np
from dnnbench.stats.estimates import Pairs, Visits


def grid(generations, rounds):
    """Generation and round of each visit."""
    return np.repeat(np.arange(generations), rounds), np.tile(np.arange(rounds), generations)


def visits(call_s, generations, rounds, flags=None, position=0):
    generation, number = grid(generations, rounds)
    size = generations * rounds
    call_s = np.broadcast_to(np.asarray(call_s, float), size)
    flags = np.zeros(size, np.int64) if flags is None else np.broadcast_to(flags, size)
    return Visits(generation, number, np.broadcast_to(position, size), call_s, flags)


def simulated(chance, generations, rounds, log_ratio=0.0, process=0.02, noise=0.01, shared=0.0):
    """Arm and base: a process has a speed of its own, a round a disturbance of its own
    that both feel.
    """
    size = generations * rounds
    common = shared * chance.standard_normal(size)

    def one(shift):
        speed = np.repeat(process * chance.standard_normal(generations), rounds)
        return np.exp(shift + speed + common + noise * chance.standard_normal(size))

    order = chance.integers(0, 2, size)
    return (
        visits(1e-3 * one(log_ratio), generations, rounds, position=order),
        visits(1e-3 * one(0.0), generations, rounds, position=1 - order),
    )


def within_binomial_bounds(hits, trials, rate):
    """Whether the count is within four standard errors of what the rate promises."""
    return abs(hits - trials * rate) <= 4 * math.sqrt(trials * rate * (1 - rate))


def pairs_of(difference, generations, rounds, clean=None, arm_later=None):
    """Pairs with the given log ratios; by default the arm is second in every other round."""
    generation, number = grid(generations, rounds)
    size = generations * rounds
    every_other = np.arange(size) % 2 == 0
    return Pairs(
        generation,
        number,
        np.broadcast_to(np.asarray(difference, float), size),
        every_other if arm_later is None else np.asarray(arm_later),
        np.ones(size, bool) if clean is None else np.asarray(clean),
    )


def noise(size, scale=0.002, seed=0):
    return np.random.default_rng(seed).normal(0, scale, size)
