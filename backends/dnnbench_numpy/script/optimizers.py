"""The code of each optimizer's step, on arrays by name."""

from dnnbench.scripts.values import call


def sgd(optimizer):
    return call("sgd", "w", "gradients", _rate(optimizer))


def momentum(optimizer):
    return _along_velocity(optimizer, None)


def nesterov(optimizer):
    return _along_velocity(optimizer, True)


def _along_velocity(optimizer, nesterov):
    constants = (_rate(optimizer), optimizer.momentum)
    return call("momentum", "w", "gradients", "slots", *constants, nesterov=nesterov)


def rmsprop(optimizer):
    constants = (_rate(optimizer), optimizer.decay, optimizer.epsilon)
    return call("rmsprop", "w", "gradients", "slots", *constants)


def adam(optimizer):
    return _adam(optimizer, None)


def adamw(optimizer):
    return _adam(optimizer, optimizer.weight_decay)


def _adam(optimizer, decay):
    constants = (_rate(optimizer), optimizer.beta1, optimizer.beta2, optimizer.epsilon)
    return call("adam", "w", "gradients", "slots", "steps", *constants, decay=decay)


def _rate(optimizer):
    """A name where it changes from step to step."""
    return "rate" if optimizer.schedule else optimizer.learning_rate
