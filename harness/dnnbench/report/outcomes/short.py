"""A small table: the first rows of a long one, and how many more there are."""

from collections.abc import Sequence
from typing import TypeVar

from ...wording import counted
from ..section import Column

CELL = Column("cell", prose=True, least=13)
"""Case and phase, below each other where a terminal is narrow."""
MOST_ROWS = 12
MOST_REASONS = 6
Item = TypeVar("Item")


def in_short(items: Sequence[Item], most: int, noun: str) -> tuple[Sequence[Item], tuple[str, ...]]:
    """The first items, and a sentence about those left out; none where all are there.

    noun: what an item is, in the singular.
    """
    more = len(items) - most
    sentence = (f"and {counted(more, f'more {noun}')} (--details)",) if more > 0 else ()
    return items[:most], sentence
