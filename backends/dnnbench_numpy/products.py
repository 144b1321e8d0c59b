"""The one matrix product that everything is built on, and other orders in which it can be summed.

Rounding depends on the order of summation. The agreement check learns how much by running the reference in other
orders: `blocked` sums the inner dimension in blocks, `reversed` from its end.
"""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

BLOCK = 16
_order = ContextVar("order", default="straight")


@contextmanager
def summation(order: str):
    """Sum products in another order inside the block: `straight`, `blocked` or `reversed`."""
    token = _order.set(order)
    try:
        yield
    finally:
        _order.reset(token)


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a @ b over the last axis of a and the first of b.      a: (..., k)   b: (k, m)   returns: (..., m)"""
    match _order.get():
        case "blocked":
            return sum(a[..., i : i + BLOCK] @ b[i : i + BLOCK] for i in range(0, len(b), BLOCK))
        case "reversed":
            return np.ascontiguousarray(a[..., ::-1]) @ np.ascontiguousarray(b[::-1])
    return a @ b
