"""Optax's own optimizers, whose formulas are those of `dnnbench.spec.optimizers`, and where they keep their slots."""

import optax

SLOTS = {"velocity": "trace", "first_moment": "mu", "second_moment": "nu"}
"""The spec's names -> Optax's."""


def sgd(optimizer):
    return optax.sgd(optimizer.learning_rate)


def momentum(optimizer):
    return optax.sgd(optimizer.learning_rate, optimizer.momentum)


def adam(optimizer):
    return optax.adam(optimizer.learning_rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon)


def slot(state, name: str):
    """Arrays by parameter of one of the spec's slots."""
    return optax.tree_utils.tree_get(state, SLOTS[name])
