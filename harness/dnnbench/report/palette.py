"""One colour for each backend, the same in every table and chart; colour-blind readers tell them
apart.
"""

import zlib
from collections.abc import Iterable

COLOURS = ("#56b4e9", "#cc79a7", "#0072b2", "#009e73", "#d55e00", "#e69f00", "#7a7a7a")
"""Okabe and Ito's qualitative colours without black and yellow, which vanish on a dark or a light
page.
"""
DARK_COLOURS = ("#7cc7f0", "#dd9cbd", "#3d9bdc", "#2fbf93", "#f0813a", "#f0b43c", "#a3a3a3")
"""The same hues, lighter, for a dark page."""


def places(backends: Iterable[str]) -> dict[str, int]:
    """Place in COLOURS by backend: its own on every page, or the next free one if taken."""
    chosen: dict[str, int] = {}
    for name in sorted(set(backends)):
        wanted = place(name)
        order = [(wanted + step) % len(COLOURS) for step in range(len(COLOURS))]
        chosen[name] = next((place for place in order if place not in chosen.values()), wanted)
    return chosen


def place(backend: str) -> int:
    """Where a backend's own colour stands."""
    return zlib.crc32(backend.encode()) % len(COLOURS)


def variable(place: int) -> str:
    """The CSS colour of a place, light or dark as the page is."""
    return f"var(--backend-{place})"
