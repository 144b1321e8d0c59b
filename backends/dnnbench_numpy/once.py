"""What a forward and a backward pass both need, computed once where they are made together.

The functions of `ops` and `gradients` say what is computed; which of it is the same arrays again
they need not say.
"""

from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

import numpy as np

MOST_BYTES = 2**28
"""Kept in one pass; what would be more is computed again, as a large network's windows would take
several times the memory of its values.
"""
_kept = ContextVar("kept", default=None)


@contextmanager
def together():
    """Inside the block, functions marked `once` give the same arrays the same value again."""
    token = _kept.set(_Kept())
    try:
        yield
    finally:
        _kept.reset(token)


def once(compute: Callable) -> Callable:
    """`compute(*arguments)`, a function of arrays, tuples and plain values that changes none."""

    @wraps(compute)
    def computed(*arguments):
        kept = _kept.get()
        if kept is None:
            return compute(*arguments)
        key = (compute, *map(_identity, arguments))
        if key not in kept.values:
            value = compute(*arguments)
            if not kept.take(key, arguments, value):
                return value
        return kept.values[key][1]

    return computed


def _identity(argument):
    """Arrays by what they are, anything else by its value."""
    if isinstance(argument, np.ndarray):
        return id(argument)
    return tuple(map(_identity, argument)) if type(argument) is tuple else argument


class _Kept:
    """Values by function and arguments, which are held so that no other array takes their place."""

    def __init__(self):
        self.values = {}
        self._left = MOST_BYTES

    def take(self, key, arguments, value) -> bool:
        """Whether there is room for it."""
        arrays = value if isinstance(value, tuple) else (value,)
        size = sum(array.nbytes for array in arrays)
        if size > self._left:
            return False
        self._left -= size
        self.values[key] = arguments, value
        return True
