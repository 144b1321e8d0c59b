"""Faults of optimizers in the PyTorch backend."""

import torch

from .planting import replaces


def _made_with(**constants):
    """An optimizer whose PyTorch object gets other constants."""

    def make(honest):
        def fault(optimizer, parameters, compiled):
            made = honest(optimizer, parameters, compiled)
            for group in made.param_groups:
                group |= constants
            return made

        return fault

    return make


@replaces("optimizers.momentum")
def momentum_dampening(honest):
    def fault(optimizer, parameters, compiled):
        return _made_with(dampening=optimizer.momentum)(honest)(optimizer, parameters, compiled)

    return fault


@replaces("optimizers.clipping")
def momentum_1e_6_in_the_clipping_norm(honest):
    def clipping(largest, compiled):
        def clip(gradients):
            norm = torch.nn.utils.get_total_norm(gradients)
            return torch._foreach_mul(gradients, (largest / (norm + 1e-6)).clamp(max=1.0))

        return clip

    return clipping


@replaces("optimizers.nesterov")
def nesterov_plain_momentum(honest):
    return _made_with(nesterov=False)(honest)


@replaces("optimizers.rmsprop")
def rmsprop_decay_0_99(honest):
    return _made_with(alpha=0.99)(honest)


@replaces("optimizers.adam")
def adam_betas_swapped(honest):
    def fault(optimizer, parameters, compiled):
        swapped = {"beta1": optimizer.beta2, "beta2": optimizer.beta1}
        return honest(optimizer.model_copy(update=swapped), parameters, compiled)

    return fault


@replaces("optimizers.adam")
def adam_decay_decoupled(honest):
    return _made_with(decoupled_weight_decay=True)(honest)


@replaces("optimizers.adamw")
def adamw_decay_coupled(honest):
    return _made_with(decoupled_weight_decay=False)(honest)


@replaces("optimizers.clipping")
def nothing_is_clipped(honest):
    return lambda largest, compiled: honest(largest and 1e30, compiled)
