"""What frameworks are known to compute instead: each convention told as what the reference would have given under it."""

from . import attention, elementwise, losses, norms, products, recurrent, shapes, windows
from .part import CONVENTIONS, Convention, ReplayedPart, Variant

__all__ = [
    "CONVENTIONS",
    "Convention",
    "ReplayedPart",
    "Variant",
    "attention",
    "elementwise",
    "losses",
    "norms",
    "products",
    "recurrent",
    "shapes",
    "windows",
]
