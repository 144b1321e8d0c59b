"""What frameworks are known to compute instead, as changes of what the reference computes."""

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
