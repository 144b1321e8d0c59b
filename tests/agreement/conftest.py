"""Every network of these tests is compiled quickly."""

from helpers.quick_compilation import quick_compilation  # noqa: F401
