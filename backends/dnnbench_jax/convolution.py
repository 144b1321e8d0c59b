"""Convolutions over one or two axes, by what is fastest on the device or as users write them."""

from contextvars import ContextVar
from functools import wraps

import jax.numpy as jnp
from jax import lax

from . import device
from .depthwise import depthwise

LAYOUTS = {3: ("NWC", "WIO", "NWC"), 4: ("NHWC", "HWIO", "NHWC")}
"""By axes of the input."""
PLAIN, WRITTEN_OUT = "feature_group_count", "taps multiplied and added, other groups one by one"
_PLAINLY: ContextVar[bool] = ContextVar("plainly", default=False)


def plainly(function):
    """`function`, which runs or is traced with convolutions in groups by XLA's own."""

    @wraps(function)
    def run(*arguments):
        token = _PLAINLY.set(True)
        try:
            return function(*arguments)
        finally:
            _PLAINLY.reset(token)

    return run


def form_of_groups(model, plain):
    """How the convolutions of a network that have groups are computed; None where none has."""
    ops = [node.op for node in model.nodes if node.op.kind in ("conv1d", "conv2d")]
    if all(op.groups == 1 for op in ops):
        return None
    return PLAIN if plain or device.computing() != "cpu" else WRITTEN_OUT


def convolve(x, weight, strides, pads, dilation, groups):
    """Cross-correlation in groups.
    x: (N, ..., C)
    weight: (..., C / groups, filters)
    returns: (N, ..., filters)

    XLA's grouped convolutions on a CPU, and their gradients most of all, are 10 to 90 times slower
    than the sums that they stand for, which `plainly` leaves out.
    """
    geometry = (strides, pads, dilation)
    if groups == 1 or device.computing() != "cpu" or _PLAINLY.get():
        return _by_xla(x, weight, *geometry, groups)
    if groups == x.shape[-1]:
        return _depthwise(x, weight, *geometry)
    images = jnp.split(x, groups, -1)  # (N, ..., C / groups) each
    kernels = jnp.split(weight, groups, -1)
    parts = [_by_xla(*pair, *geometry) for pair in zip(images, kernels, strict=True)]
    return jnp.concatenate(parts, -1)


def _by_xla(x, weight, strides, pads, dilation, groups=1):
    layouts = LAYOUTS[x.ndim]
    return lax.conv_general_dilated(
        x,
        weight,
        strides,
        pads,
        rhs_dilation=dilation,
        dimension_numbers=layouts,
        feature_group_count=groups,
    )


def _depthwise(x, weight, strides, pads, dilation):
    if x.ndim == 4:
        return depthwise(x, weight, strides, pads, dilation)
    # a sequence as images one row high
    y = depthwise(x[:, None], weight[None], (1, *strides), ((0, 0), *pads), (1, *dilation))
    return y[:, 0]


def convolve_transposed(x, weight, strides, cuts, dilation, extra):
    """The gradient of a convolution with respect to its input, as a convolution of x with zeros
    between its places.

    x: (N, H, W, C)
    weight: (kh, kw, filters, C)
    cuts, extra: places less before and after, and more after `lax.conv_transpose` does
    not flip the kernel.
    """
    spans = [(k - 1) * d for k, d in zip(weight.shape, dilation, strict=False)]
    pads = [(s - lo, s - hi + more) for s, (lo, hi), more in zip(spans, cuts, extra, strict=True)]
    layouts = ("NHWC", "HWOI", "NHWC")
    return lax.conv_general_dilated(
        x, jnp.flip(weight, (0, 1)), (1, 1), pads, strides, dilation, dimension_numbers=layouts
    )
