"""Numbers of a lower precision, kept in float32 arrays."""

import numpy as np

FRACTION_BITS = {"bfloat16": 7, "tf32": 10}
"""Explicit bits of fraction of the types that are float32 cut short; float32 has 23."""


def rounded(x: np.ndarray, type: str) -> np.ndarray:
    """Each element at the nearest number of `type` (ties to even), as float32.

    Other types leave x as it is.

    Infinities and NaN stay; float16 overflows to infinity. Source of the bit patterns:
    Kalamkar et al. 2019, arXiv 1905.12322.
    """
    if type == "float16":
        with np.errstate(over="ignore"):
            return x.astype(np.float16).astype(np.float32)
    if type not in FRACTION_BITS:
        return x
    cut = np.uint32(23 - FRACTION_BITS[type])
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    odd = (bits >> cut) & np.uint32(1)
    below_half = np.uint32((1 << (int(cut) - 1)) - 1)
    kept = ((bits + below_half + odd) >> cut) << cut
    return np.where(np.isfinite(x), kept.view(np.float32).reshape(np.shape(x)), x).astype(
        np.float32
    )
