"""The code that makes each optimizer, of torch.optim."""

from dnnbench.scripts.values import call

NEVER_COMPILED = ("adam", "adamw")
"""Those whose fused steps are several times as fast as what the compiler makes of them."""


def sgd(optimizer, compiled):
    return _made("SGD", optimizer, compiled, fused=_fused(compiled))


def momentum(optimizer, compiled):
    return _made("SGD", optimizer, compiled, momentum=optimizer.momentum, fused=_fused(compiled))


def nesterov(optimizer, compiled):
    """PyTorch's foreach form would add the momentum into the gradients themselves."""
    constants = {"momentum": optimizer.momentum, "nesterov": True, "foreach": False}
    return _made("SGD", optimizer, compiled, **constants, fused=_fused(compiled))


def rmsprop(optimizer, compiled):
    return _made("RMSprop", optimizer, compiled, alpha=optimizer.decay, eps=optimizer.epsilon)


def adam(optimizer, compiled):
    return _adam("Adam", optimizer, compiled)


def adamw(optimizer, compiled):
    return _adam("AdamW", optimizer, compiled)


def _adam(kind, optimizer, compiled):
    constants = {"betas": (optimizer.beta1, optimizer.beta2), "eps": optimizer.epsilon}
    return _made(kind, optimizer, compiled, **constants, fused=True)


def _fused(compiled):
    """A compiled step is fused by the compiler."""
    return None if compiled else True


def _made(kind, optimizer, compiled, **constants):
    rate = f"torch.tensor({optimizer.learning_rate})" if _varies(optimizer, compiled) else None
    capturable = True if rate and kind != "SGD" else None
    return call(
        f"torch.optim.{kind}",
        "list(w.values())" if compiled else "stepped(w)",
        lr=rate or optimizer.learning_rate,
        weight_decay=optimizer.weight_decay,
        **constants,
        capturable=capturable,
    )


def _varies(optimizer, compiled):
    """A compiled step reads a rate that changes from a tensor: a number would compile it anew."""
    return compiled and optimizer.schedule is not None
