"""Low precision for study: arrays stay float32, their values are put on the grid
of a narrower type.

NumPy has no arithmetic in these types. What an honest backend would round, this rounds:
what flows between ops (`cast`), what an op stores on its way (`stored`),
and for tf32 what a product reads (`operand`).
"""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from dnnbench.protocol.rounding import rounded

_computing_in = ContextVar("computing_in", default="")
"""Empty where NumPy has the type: nothing is rounded then."""


@contextmanager
def computing(type_name: str):
    """Ops inside the block compute in this type."""
    token = _computing_in.set(type_name)
    try:
        yield
    finally:
        _computing_in.reset(token)


def cast(x: np.ndarray, type_name: str) -> np.ndarray:
    """x as a tensor of this type holds it.

    Tensors of tf32 are float32, and only products read less of them.
    """
    return x if type_name == "tf32" else rounded(x, type_name)


def stored(x: np.ndarray) -> np.ndarray:
    """An intermediate result as the op's own type holds it."""
    inside = _computing_in.get()
    return cast(x, inside) if inside else x


def operand(x: np.ndarray) -> np.ndarray:
    """What a product reads of x."""
    return rounded(x, "tf32") if _computing_in.get() == "tf32" else x
