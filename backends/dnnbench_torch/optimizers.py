"""torch.optim's optimizers with every constant given; their formulas are those of `dnnbench.spec.optimizers`.

parameters: leaf tensors, perhaps none. Slots exist before the first step, so that it compiles once.
"""

import inspect
from types import FunctionType

import torch

SLOTS = {"velocity": "momentum_buffer", "first_moment": "exp_avg", "second_moment": "exp_avg_sq"}
"""PyTorch's name of each slot."""


def sgd(optimizer, parameters):
    return torch.optim.SGD([{"params": parameters}], lr=optimizer.learning_rate)


def momentum(optimizer, parameters):
    made = torch.optim.SGD([{"params": parameters}], lr=optimizer.learning_rate, momentum=optimizer.momentum)
    for p in parameters:
        made.state[p]["momentum_buffer"] = torch.zeros_like(p, requires_grad=False)
    return made


def adam(optimizer, parameters):
    constants = {"betas": (optimizer.beta1, optimizer.beta2), "eps": optimizer.epsilon}
    made = torch.optim.Adam([{"params": parameters}], lr=optimizer.learning_rate, **constants)
    for p in parameters:
        # A compiled step computes 1 - beta^t in t's own type; with 0.999 float32 loses three digits there.
        made.state[p]["step"] = torch.zeros((), dtype=torch.float64)
        made.state[p]["exp_avg"] = torch.zeros_like(p, requires_grad=False)
        made.state[p]["exp_avg_sq"] = torch.zeros_like(p, requires_grad=False)
    return made


def bare_step(optimizer):
    """`optimizer.step` without its profiling wrapper, which breaks a compiled graph.

    Its code is its own: Dynamo keeps what it compiled by code object, and past a limit runs it uncompiled.
    """
    step = inspect.unwrap(type(optimizer).step)

    def bare():
        with torch.no_grad():
            step(optimizer)

    return FunctionType(bare.__code__.replace(), bare.__globals__, bare.__name__, None, bare.__closure__)
