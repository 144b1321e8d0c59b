"""Every network of these tests is compiled quickly."""

from helpers.quick_compilation import quick_compilation

__all__ = ["quick_compilation"]
