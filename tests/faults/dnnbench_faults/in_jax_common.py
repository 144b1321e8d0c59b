"""Common faults in the JAX backend."""

import optax

from .planting import replaces


@replaces("optimizers.adam")
def adam_amsgrad(honest):
    def fault(optimizer):
        betas = optimizer.beta1, optimizer.beta2
        return optax.amsgrad(optimizer.learning_rate, *betas, optimizer.epsilon)

    return fault
