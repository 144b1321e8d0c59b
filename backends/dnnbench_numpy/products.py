"""The products that everything is built on, and other orders in which they can be summed.

Rounding depends on the order of summation. The agreement check learns how much by running
the reference in other
orders: `blocked` sums the inner dimension in blocks, `reversed` from its end.
"""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from .rounding import operand, stored

BLOCK, BLOCKS = 16, 8
"""`blocked` sums at least so many elements at a time, in at most so many blocks,
so that large products stay cheap.
"""
LANES = 8
"""Of a vector register with eight float32, in which torch sums a norm."""
_order = ContextVar("order", default="straight")


@contextmanager
def summation(order: str):
    """Sum products in another order inside the block: `straight`, `blocked` or `reversed`."""
    token = _order.set(order)
    try:
        yield
    finally:
        _order.reset(token)


def leaning() -> int:
    """Which way a study rounds what is a tie in exact arithmetic:
    `blocked` up, `reversed` down, any other order not at all.
    """
    return {"blocked": 1, "reversed": -1}.get(_order.get(), 0)


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b over the last axis of a and the last but one of b.

    a: (..., k)
    b: (k, m)
    returns: (..., m);
    or stacks a: (..., n, k)
    b: (..., k, m)
    returns: (..., n, m)
    """
    a, b = operand(a), operand(b)
    if b.ndim == 2 < a.ndim:  # one large product instead of a stack of small ones
        return stored(_ordered(a.reshape(-1, a.shape[-1]), b)).reshape(*a.shape[:-1], b.shape[-1])
    return stored(_ordered(a, b))


def _ordered(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b in the order of the study."""
    order = _order.get()
    if order == "straight":
        return a @ b
    if order == "reversed":
        return np.ascontiguousarray(a[..., ::-1]) @ np.ascontiguousarray(b[..., ::-1, :])
    total = np.zeros(
        (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]),
        a.dtype,
    )
    for block in _blocks(a.shape[-1]):
        total += a[..., block] @ b[..., block, :]
    return total


def _blocks(inner: int) -> list[slice]:
    size = max(BLOCK, -(-inner // BLOCKS))
    return [slice(start, start + size) for start in range(0, inner, size)]


def weighted_sum(arrays: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """sum_i arrays[i] weights[i]; the studies sum from the end.

    arrays: k of (..., c)   weights: (k, c)   returns: (..., c)
    """
    pairs = list(zip(map(operand, arrays), operand(weights), strict=True))
    if _order.get() != "straight":
        pairs.reverse()
    total = pairs[0][0] * pairs[0][1]
    for x, w in pairs[1:]:
        total += x * w
    return stored(total)


def squared_norm(x: np.ndarray) -> np.floating:
    """Sum of the squares of x; `reversed` adds them one after the other in LANES lanes.

    That is how loops without pairwise summation do it, and it errs 2,000 times as much
    for a million numbers.
    """
    squares = np.square(x).reshape(-1)
    if _order.get() != "reversed":
        return squares.sum()
    whole = squares.size // LANES * LANES
    return squares[:whole].reshape(-1, LANES).sum(axis=0).sum() + squares[whole:].sum()
