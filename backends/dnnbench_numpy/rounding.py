"""Low precision for study: arrays stay float32, their values are put on the grid of a narrower type.

NumPy has no arithmetic in these types. What an honest backend would round, this rounds: what flows between ops (`cast`), what
an op stores on its way (`stored`), and for tf32 what a product reads (`operand`).
"""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

FRACTION = {"float32": 23, "tf32": 10, "bfloat16": 7}
"""Bits of fraction of the types that have float32's exponent."""
_computing_in = ContextVar("computing_in", default="float32")


@contextmanager
def computing(type_name: str):
    """Ops inside the block compute in this type."""
    token = _computing_in.set(type_name)
    try:
        yield
    finally:
        _computing_in.reset(token)


def cast(x: np.ndarray, type_name: str) -> np.ndarray:
    """x as a tensor of this type holds it; tensors of tf32 are float32, and only products read less of them."""
    match type_name:
        case "bfloat16":
            return _nearest(x, FRACTION["bfloat16"])
        case "float16":
            with np.errstate(over="ignore"):
                return x.astype(np.float16).astype(np.float32)
    return x


def stored(x: np.ndarray) -> np.ndarray:
    """An intermediate result as the op's own type holds it."""
    return cast(x, _computing_in.get())


def operand(x: np.ndarray) -> np.ndarray:
    """What a product reads of x."""
    return _nearest(x, FRACTION["tf32"]) if _computing_in.get() == "tf32" else x


def _nearest(x: np.ndarray, fraction: int) -> np.ndarray:
    """x rounded to so many bits of fraction, ties to even; infinities and NaN stay."""
    dropped = FRACTION["float32"] - fraction
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    odd = (bits >> np.uint32(dropped)) & np.uint32(1)
    rounded = (bits + odd + np.uint32((1 << (dropped - 1)) - 1)) & np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)
    return np.where(np.isfinite(x), rounded.view(np.float32).reshape(np.shape(x)), x)
