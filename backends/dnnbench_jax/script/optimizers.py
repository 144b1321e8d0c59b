"""The code that makes each optimizer, of Optax."""

from dnnbench.scripts.values import call


def sgd(optimizer):
    return _prepared(optimizer, call("optax.sgd", _rate(optimizer)))


def momentum(optimizer):
    return _prepared(optimizer, call("optax.sgd", _rate(optimizer), momentum=optimizer.momentum))


def nesterov(optimizer):
    constants = {"momentum": optimizer.momentum, "nesterov": True}
    return _prepared(optimizer, call("optax.sgd", _rate(optimizer), **constants))


def rmsprop(optimizer):
    constants = {"decay": optimizer.decay, "eps": optimizer.epsilon, "eps_in_sqrt": False}
    return _prepared(optimizer, call("optax.rmsprop", _rate(optimizer), **constants))


def adam(optimizer):
    return _prepared(optimizer, call("optax.adam", _rate(optimizer), **_moments(optimizer)))


def adamw(optimizer):
    decay = {"weight_decay": optimizer.weight_decay}
    update = call("optax.adamw", _rate(optimizer), **_moments(optimizer), **decay)
    return _chained(_clipping(optimizer), update)


def _moments(optimizer):
    return {"b1": optimizer.beta1, "b2": optimizer.beta2, "eps": optimizer.epsilon}


def _prepared(optimizer, update):
    """Clipping, then weight decay that the moments see, then the update."""
    decay = optimizer.weight_decay
    decayed = [f"optax.add_decayed_weights({decay})"] if decay else []
    return _chained([*_clipping(optimizer), *decayed], update)


def _clipping(optimizer):
    limit = optimizer.clip_norm
    return [f"optax.clip_by_global_norm({limit})"] if limit is not None else []


def _chained(before, update):
    return call("optax.chain", *before, update) if before else update


def _rate(optimizer):
    """A number, or a function of the steps taken before."""
    if (plan := optimizer.schedule) is None:
        return optimizer.learning_rate
    constants = (optimizer.learning_rate, plan.warmup, plan.steps, plan.floor)
    return call("scheduled", *constants)
