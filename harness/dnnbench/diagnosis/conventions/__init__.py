"""What frameworks are known to compute instead: each convention told as what the reference would have given under it."""

from . import attention, elementwise, losses, norms, products, recurrent, shapes, windows
from .scene import CONVENTIONS, Convention, Scene, Variant

__all__ = [
    "CONVENTIONS",
    "Convention",
    "Scene",
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
