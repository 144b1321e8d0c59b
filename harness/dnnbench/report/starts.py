"""From nothing to the first result: import, build and first call, with empty and with warm compile
caches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..execution.facts import AS_FOUND, EMPTY, WARM
from .purposes import PURPOSES, PurposeKey

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("import_s", "build_s", "first_call_s")
KEY = ("workload", "batch_size", "arm", "phase")


@dataclass(frozen=True)
class Start:
    """One arm's way to its first training step or inference, in seconds.

    Medians over the generations that met these caches.
    import_s: importing and configuring the framework   build_s: building the program
    first_call_s: tracing, compiling and one call, after the first calls of the phases before it:
    what they set up in the process is not paid again.
    """

    workload: str
    batch_size: int
    arm: str
    phase: str
    caches: str
    import_s: float
    build_s: float
    first_call_s: float

    @property
    def total_s(self) -> float:
        return self.import_s + self.build_s + self.first_call_s

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"total_s": self.total_s}


def starts_of(
    cells: "pd.DataFrame", first_calls: "pd.DataFrame", caches: Mapping[int, str]
) -> list[Start]:
    """Every purpose's start, with empty caches before warm ones, in the order of the plan.

    cells, first_calls: the store's frames
    caches: what the workers of each generation found in their compile caches
    Where any found them warm, those that took them as they were are left out: nobody knows what
    that was.
    """
    chosen = first_calls[first_calls["phase"].isin(list(PURPOSES))]
    met = chosen["generation"].map(lambda generation: caches.get(generation, AS_FOUND))
    states = (EMPTY, WARM) if (met == WARM).any() else (EMPTY, WARM, AS_FOUND)
    medians = {state: _medians(chosen[met == state]) for state in states}
    keys = zip(*(cells[name] for name in KEY), strict=True)
    return [
        Start(*where, state, *by_key[where])
        for where in keys
        for state, by_key in medians.items()
        if where in by_key
    ]


def _medians(first_calls: "pd.DataFrame") -> dict[PurposeKey, list[float]]:
    """Seconds of import, build and first call."""
    medians = first_calls.groupby(list(KEY), sort=False)[list(PARTS)].median()
    return dict(zip(medians.index, medians.to_numpy(float).tolist(), strict=True))


def usual(starts: Sequence[Start]) -> dict[PurposeKey, float]:
    """Seconds of each start as it is every time but the first: with warm caches where any
    generation had them.
    """
    return {(s.workload, s.batch_size, s.arm, s.phase): s.total_s for s in starts}


def first_ever(starts: Sequence[Start]) -> dict[PurposeKey, float]:
    """Seconds of each start with empty caches; nothing where none was measured."""
    return usual([s for s in starts if s.caches == EMPTY])
