"""What frameworks are known to compute instead, as changes of what the reference computes."""

from . import attention, elementwise, losses, norms, products, recurrent, shapes, windows
from .convention import CONVENTIONS, Convention, Variant
from .part import ReplayedPart

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
