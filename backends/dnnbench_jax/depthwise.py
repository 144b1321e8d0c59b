"""Depthwise convolution as shifted multiply-adds, which XLA fuses into one loop on a CPU."""

from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
from jax import lax


def depthwise(x, weight, strides, pads, dilation):
    """Every channel by filters of its own.
    x: (N, H, W, C)
    weight: (kh, kw, 1, C m)
    returns: (N, H', W', C m)
    """
    multiplier = weight.shape[-1] // x.shape[-1]
    repeated = jnp.repeat(x, multiplier, axis=-1) if multiplier > 1 else x
    return _compiled(repeated, weight[:, :, 0], tuple(strides), tuple(pads), tuple(dilation))


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolved(x, weight, strides, pads, dilation):
    """x: (N, H, W, C)   weight: (kh, kw, C)   returns: (N, H', W', C)"""
    y = _summed(_padded(_wide(x), pads), _wide(weight), strides, dilation)
    return y.astype(x.dtype)


def _forward(x, weight, strides, pads, dilation):
    return _convolved(x, weight, strides, pads, dilation), (x, weight)


def _backward(strides, pads, dilation, kept, g):
    """Both gradients by hand: those of 49 slices take a compiler seconds."""
    x, weight = kept
    g = _wide(g)
    padded = _padded(_wide(x), pads)
    turned = _wide(weight[::-1, ::-1])
    gx = _summed(
        _spread(g, x, weight, strides, pads, dilation), turned, (1, 1), dilation
    )  # (N, H, W, C)
    gw = _weight_gradient(padded, g, weight.shape, strides, dilation)  # (kh, kw, C)
    return gx.astype(x.dtype), gw.astype(weight.dtype)


_convolved.defvjp(_forward, _backward)
_compiled = jax.jit(_convolved, static_argnums=(2, 3, 4))
"""A convolution is one op where ops run one by one, too."""


def _wide(x):
    """Sums over taps are kept in float32 at least."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _padded(x, pads):
    return jnp.pad(x, ((0, 0), *pads, (0, 0)))


def _summed(x, weight, strides, dilation):
    """Sum over all taps of x, seen from there, times the tap's weight."""
    sizes = zip(x.shape[1:3], weight.shape, dilation, strides, strict=False)
    places = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in sizes]  # [H', W']

    def share(u, v):
        start = (u * dilation[0], v * dilation[1])
        return _seen_from(start, x, places, strides) * weight[u, v]  # (N, H', W', C)

    rows, columns, _ = weight.shape
    return sum(share(u, v) for u, v in product(range(rows), range(columns)))


def _seen_from(start, x, places, strides):
    """Every stride-th place of x from `start` on."""
    stops = [first + (n - 1) * s + 1 for first, n, s in zip(start, places, strides, strict=True)]
    return lax.slice(x, (0, *start, 0), (len(x), *stops, x.shape[-1]), (1, *strides, 1))


def _spread(g, x, weight, strides, pads, dilation):
    """g with zeros between and around its places, so that taps of the turned kernel meet what they
    had reached.
    """
    edges = []
    for axis, (stride, (before, _), tap) in enumerate(zip(strides, pads, dilation, strict=True)):
        reach = (weight.shape[axis] - 1) * tap
        grown = (g.shape[axis + 1] - 1) * stride + 1
        edges.append((reach - before, x.shape[axis + 1] - grown + before, stride - 1))
    return lax.pad(g, jnp.zeros((), g.dtype), ((0, 0, 0), *edges, (0, 0, 0)))


def _weight_gradient(x, g, shape, strides, dilation):
    """A loop over the kernel's rows.      x: padded   returns: (kh, kw, C)"""
    height, width = g.shape[1:3]

    def row(u):
        reach = (height - 1) * strides[0] + 1
        lines = lax.dynamic_slice_in_dim(x, u * dilation[0], reach, 1)
        lines = lines[:, :: strides[0]]  # (N, H', W, C)
        starts = [(0, v * dilation[1]) for v in range(shape[1])]
        taps = (_seen_from(start, lines, (height, width), (1, strides[1])) for start in starts)
        return jnp.stack([(seen * g).sum((0, 1, 2)) for seen in taps])  # (kw, C)

    return lax.map(row, jnp.arange(shape[0]))
