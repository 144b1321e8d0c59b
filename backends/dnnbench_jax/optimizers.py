"""Optax's own optimizers, whose formulas are those of `dnnbench.spec.optimizers`,
and where they keep their slots.
"""

import jax.numpy as jnp
import optax

SLOTS = {"velocity": "trace", "mean_square": "nu", "first_moment": "mu", "second_moment": "nu"}
"""The spec's names -> Optax's."""


def sgd(optimizer):
    return _prepared(optimizer, optax.sgd(_rate(optimizer)))


def momentum(optimizer):
    return _prepared(optimizer, optax.sgd(_rate(optimizer), optimizer.momentum))


def nesterov(optimizer):
    return _prepared(optimizer, optax.sgd(_rate(optimizer), optimizer.momentum, nesterov=True))


def rmsprop(optimizer):
    outside_the_root = {"eps_in_sqrt": False}
    update = optax.rmsprop(_rate(optimizer), optimizer.decay, optimizer.epsilon, **outside_the_root)
    return _prepared(optimizer, update)


def adam(optimizer):
    update = optax.adam(_rate(optimizer), optimizer.beta1, optimizer.beta2, optimizer.epsilon)
    return _prepared(optimizer, update)


def adamw(optimizer):
    betas = optimizer.beta1, optimizer.beta2
    update = optax.adamw(
        _rate(optimizer), *betas, optimizer.epsilon, weight_decay=optimizer.weight_decay
    )
    return _clipped(optimizer, update)


def slot(state, name: str):
    """Arrays, in the weights' order, of one of the spec's slots."""
    return optax.tree_utils.tree_get(state, SLOTS[name])


def _prepared(optimizer, update):
    """Clipping, then weight decay that the moments see, then the update."""
    if optimizer.weight_decay:
        decay = optax.add_decayed_weights(optimizer.weight_decay)
        update = optax.chain(decay, update)
    return _clipped(optimizer, update)


def _clipped(optimizer, update):
    if optimizer.clip_norm is None:
        return update
    return optax.chain(optax.clip_by_global_norm(optimizer.clip_norm), update)


def _rate(optimizer):
    """A number, or a function of the steps taken before, which Optax counts from 0."""
    if optimizer.schedule is None:
        return optimizer.learning_rate
    return lambda count: (
        optimizer.learning_rate * _factor(optimizer.schedule, (count + 1).astype(float))
    )


def _factor(schedule, t):
    """`WarmupCosine.factor` of an array, which a compiled step can hold."""
    share = jnp.minimum((t - schedule.warmup) / max(schedule.steps - schedule.warmup, 1), 1)
    falling = schedule.floor + (1 - schedule.floor) * (1 + jnp.cos(jnp.pi * share)) / 2
    return jnp.where(t <= schedule.warmup, t / max(schedule.warmup, 1), falling)
