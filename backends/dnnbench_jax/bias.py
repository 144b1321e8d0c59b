"""A bias on every row, whose gradient is a sum over all of them."""

import jax.numpy as jnp


def biased(y, bias=None):
    """y + bias.      y: (..., C)   bias: (C,) or None

    XLA on a CPU adds up an image of bfloat16 in bfloat16: the gradient of a bias over 4 x 32 x 32 places was off by 13 of
    75. Adding in float32 gives the same sum, and a gradient formed in float32.
    """
    if bias is None:
        return y
    wide = jnp.promote_types(y.dtype, jnp.float32)
    return (y.astype(wide) + bias.astype(wide)).astype(y.dtype)
