"""What a convention is, and the table of all that are known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...agreement.replay import Replay

if TYPE_CHECKING:
    from .part import ReplayedPart

Change = Callable[[np.ndarray], np.ndarray]


def unchanged(array: np.ndarray) -> np.ndarray:
    """The array itself."""
    return array


@dataclass(frozen=True)
class Variant:
    """A replay that the reference computes, and what is done to the tensor in question."""

    replay: Replay
    after: Change = unchanged


Answer = Variant | np.ndarray | None
"""What a convention makes of a part: a Variant, the tensor itself, or None: it does not apply."""
Apply = Callable[["ReplayedPart"], Answer]


@dataclass(frozen=True)
class Convention:
    """Something that frameworks are known to compute instead.

    coarse: whether it computes in a lower type, whose own rounding is float32's
    """

    name: str
    apply: Apply
    coarse: bool = False


CONVENTIONS: dict[str, list[Convention]] = {}
"""By kind of op or loss."""


def convention(name: str, *kinds: str, coarse: bool = False) -> Callable[[Apply], Apply]:
    """Register a function of a part as a convention of some ops or losses."""

    def register(apply: Apply) -> Apply:
        for kind in kinds:
            CONVENTIONS.setdefault(kind, []).append(Convention(name, apply, coarse))
        return apply

    return register
