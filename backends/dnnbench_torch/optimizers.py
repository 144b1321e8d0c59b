"""torch.optim's optimizers with every constant given.

Their formulas are those of `dnnbench.spec.optimizers`.

parameters: leaf tensors, perhaps none. Slots exist before the first step, so that it compiles once.
Eager steps are PyTorch's fused ones where it has them; a compiled one is fused by the compiler, but
for Adam's, whose code takes several times as long on a CPU.
"""

import inspect
from types import FunctionType

import torch

NEVER_COMPILED = ("adam", "adamw")
"""Optimizers whose steps are PyTorch's fused ones in every mode."""
SLOTS = {
    "velocity": "momentum_buffer",
    "mean_square": "square_avg",
    "first_moment": "exp_avg",
    "second_moment": "exp_avg_sq",
}
"""PyTorch's name of each slot."""


def sgd(optimizer, parameters, compiled):
    return _made(torch.optim.SGD, optimizer, parameters, compiled, fused=not compiled)


def momentum(optimizer, parameters, compiled):
    return _made(
        torch.optim.SGD,
        optimizer,
        parameters,
        compiled,
        fused=not compiled,
        momentum=optimizer.momentum,
    )


def nesterov(optimizer, parameters, compiled):
    """PyTorch's foreach form would add the momentum into the gradients themselves."""
    constants = {
        "momentum": optimizer.momentum,
        "nesterov": True,
        "foreach": False,
        "fused": not compiled,
    }
    return _made(torch.optim.SGD, optimizer, parameters, compiled, **constants)


def rmsprop(optimizer, parameters, compiled):
    constants = {"alpha": optimizer.decay, "eps": optimizer.epsilon}
    return _counting(_made(torch.optim.RMSprop, optimizer, parameters, compiled, **constants))


def adam(optimizer, parameters, compiled):
    return _adam(torch.optim.Adam, optimizer, parameters, compiled)


def adamw(optimizer, parameters, compiled):
    return _adam(torch.optim.AdamW, optimizer, parameters, compiled)


def _adam(kind, optimizer, parameters, compiled):
    constants = {
        "betas": (optimizer.beta1, optimizer.beta2),
        "eps": optimizer.epsilon,
        "fused": True,
    }
    return _counting(_made(kind, optimizer, parameters, compiled, **constants))


def _made(kind, optimizer, parameters, compiled, **constants):
    """A rate that changes is a tensor where the step is compiled:
    a number would compile it anew each time.
    """
    rate = optimizer.learning_rate
    if compiled and optimizer.schedule and parameters:
        rate = torch.tensor(rate, dtype=parameters[0].dtype, device=parameters[0].device)
        constants |= {} if kind is torch.optim.SGD else {"capturable": True}
    made = kind([{"params": parameters}], lr=rate, weight_decay=optimizer.weight_decay, **constants)
    for p in parameters:
        for slot in optimizer.slots:
            made.state[p][SLOTS[slot]] = torch.zeros_like(p, requires_grad=False)
    return made


def _counting(made):
    """The step count of each parameter, on the device where PyTorch wants it there.

    A compiled step computes 1 - beta^t in t's own type;
    with 0.999 float32 loses three digits there.
    """
    group = made.param_groups[0]
    dtype = torch.float32 if group.get("fused") else torch.float64
    on_device = group.get("fused") or group["capturable"]
    for p in group["params"]:
        device = p.device if on_device else "cpu"
        made.state[p]["step"] = torch.zeros((), dtype=dtype, device=device)
    return made


def set_rate(made, rate):
    """The learning rate of the next step, in place where it is a tensor."""
    for group in made.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def described(made):
    """Name, and whether PyTorch's own fused step runs."""
    return f"torch.optim.{type(made).__name__}" + (", fused" if made.defaults.get("fused") else "")


def all_finite(gradients):
    """Whether no element is infinite or NaN; waits for the device."""
    return bool(torch.stack(torch._foreach_norm(gradients, float("inf"))).isfinite().all())


def clipping(largest, compiled):
    """A function of gradients that makes their global norm at most `largest`;
    torch.nn.utils' adds 1e-6 to the norm.

    compiled: whether a compiler has it; else it writes into the gradients' own memory where each
    has one, as a second copy of all of them takes longer than their norm.
    """

    def clip(gradients):
        norm = torch.nn.utils.get_total_norm(gradients, foreach=True)
        share = largest / norm.clamp(min=largest)
        if compiled or not _apart(gradients):
            return torch._foreach_mul(gradients, share)
        torch._foreach_mul_(gradients, share)
        return gradients

    return _with_code_of_its_own(clip)


def _apart(gradients):
    """Whether no element is of two gradients, or twice of one: what autograd gives for a sum's
    terms is one tensor, and for what was stretched a view of one element.
    """
    places = {gradient.untyped_storage().data_ptr() for gradient in gradients}
    return len(places) == len(gradients) and not any(0 in g.stride() for g in gradients)


def bare_step(made):
    """`step` of an optimizer without its profiling wrapper, which breaks a compiled graph."""
    step = inspect.unwrap(type(made).step)

    def bare():
        with torch.no_grad():
            step(made)

    return _with_code_of_its_own(bare)


def _with_code_of_its_own(function):
    """Dynamo keeps what it compiled by code object, and past a limit runs it uncompiled."""
    code = function.__code__.replace()
    return FunctionType(code, function.__globals__, function.__name__, None, function.__closure__)
