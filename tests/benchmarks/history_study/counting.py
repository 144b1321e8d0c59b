"""What is counted: false change points of equal series, changes found, places that hold."""

import math
from dataclasses import asdict, dataclass, replace

import numpy as np
from dnnbench.stats.change_limits import limit_of
from dnnbench.stats.change_points import find_change_points

from .equal_series import BEYOND, INDEPENDENT, KINDS
from .nightly import Looks, looks
from .simulating import NIGHTS, Parts, simulate, with_change, with_drift

SEED = 20261130
BATCH = 20_000
CELLS = (1, 10, 100)
BINS = 10
"""A decade of p."""
FEW_CELLS = (1, 10)
SOON = 5
"""Points within which a change should be found."""
SIZES = (0.02, 0.05, 0.10)
BEFORE = (12, 20, 30, 40)
"""Nights before the change."""
SDS = (0.005, 0.01, 0.02)


@dataclass(frozen=True)
class Equal:
    """Equal series of a kind, by the least p value that any night of them has.

    least: how many lie between 10^-(n + 1) / `BINS` and 10^-n / `BINS`, by n.
    """

    kind: str
    calibrated: bool
    series: int
    least: dict[str, int]

    def false(self, limit: float) -> int:
        """How many show a change point where p up to the limit is one; a bin that holds the limit
        counts whole.
        """
        first = math.floor(-BINS * math.log10(limit))
        return sum(count for n, count in self.least.items() if int(n) >= first)

    def quantile(self, share: float) -> float:
        """The p value below which no more than this share of the series lies, as a bin's lower
        edge.
        """
        left = share * self.series
        for n in sorted(map(int, self.least), reverse=True):
            left -= self.least[str(n)]
            if left < 0:
                return float(10 ** (-(n + 1) / BINS))
        return 1.0


@dataclass(frozen=True)
class Found:
    """Series with a change: how many report it within `SOON` points, and how many before it."""

    kind: str
    sd: float
    size: float
    before: int
    cells: int
    series: int
    soon: int
    false: int


@dataclass(frozen=True)
class Placed:
    """Of reported changes: how many have the true place in their range, and how wide that is."""

    sd: float
    size: float
    reported: int
    held: int
    width: float


@dataclass(frozen=True)
class Drifted:
    """Series that drift: how many report a change, and how many of those call it a drift."""

    size: float
    series: int
    reported: int
    named: int


def equal(count: int) -> list[dict]:
    """Every kind, `count` series each."""
    rows = []
    for place, (kind, parts) in enumerate((KINDS | BEYOND).items()):
        least = np.concatenate([_least(parts, (place, batch)) for batch in _batches(count)])
        rows.append(asdict(_equal(kind, least)))
        print(f"equal: {kind}", flush=True)
    return rows


def _batches(count: int) -> range:
    return range(max(count // BATCH, 1))


def _least(parts: Parts, place: tuple[int, int]) -> np.ndarray:
    """The least log p of each series over its nights, of changes that are large enough."""
    draw = np.random.default_rng([SEED, *place])
    seen = looks(simulate(parts, BATCH, draw))
    return np.where(seen.alarms(1.0), seen.log_p, 0.0).min(axis=1)


def _equal(kind: str, least: np.ndarray) -> Equal:
    bins, counts = np.unique(np.floor(-BINS * least / np.log(10)).astype(int), return_counts=True)
    by_bin = {str(n): int(count) for n, count in zip(bins, counts, strict=True)}
    return Equal(kind, kind in KINDS, len(least), by_bin)


def found(count: int) -> list[dict]:
    """Changes of every size, after few nights and many, in quiet series and noisy ones."""
    rows = []
    for kind in ("independent nights", "days carry over by 0.5"):
        for sd in SDS:
            for size in SIZES:
                for before in BEFORE:
                    draw = np.random.default_rng([SEED, 100, before, int(1e4 * size * sd)])
                    series = simulate(KINDS[kind].scaled(sd), count, draw, before + SOON)
                    seen = looks(with_change(series, before, size))
                    place = Found(kind, sd, size, before, 0, count, 0, 0)
                    rows += [asdict(_found(place, seen, cells)) for cells in FEW_CELLS]
    return rows


def _found(place: Found, seen: Looks, cells: int) -> Found:
    """The counts of one kind of change, in a history of so many cells."""
    alarms = seen.alarms(limit_of(cells))
    false = alarms[:, : place.before].any(axis=1)
    soon = alarms[:, place.before :].any(axis=1) & ~false
    return replace(place, cells=cells, soon=int(soon.sum()), false=int(false.sum()))


def placed(count: int) -> list[dict]:
    """Whether the range of places holds the true one."""
    rows = []
    for sd in (0.005, 0.01):
        for size in SIZES:
            draw = np.random.default_rng([SEED, 200, int(1e4 * size * sd)])
            series = with_change(simulate(INDEPENDENT.scaled(sd), count, draw), 30, size)
            changes = [found[0] for found in map(_search, series) if found]
            held = sum(one.earliest <= 30 <= one.latest for one in changes)
            widths = [one.latest - one.earliest + 1 for one in changes]
            width = float(np.mean(widths)) if widths else 0.0
            rows.append(asdict(Placed(sd, size, len(changes), held, width)))
    return rows


def _search(series: np.ndarray) -> list:
    return find_change_points(series, limit_of(10))


def drifted(count: int) -> list[dict]:
    """Whether a drift is called one."""
    rows = []
    for size in (0.02, 0.05, 0.10):
        draw = np.random.default_rng([SEED, 300, int(1e4 * size)])
        series = with_drift(simulate(INDEPENDENT, count, draw, NIGHTS), size)
        changes = [found[0] for found in map(_search, series) if found]
        named = sum(one.is_drift for one in changes)
        rows.append(asdict(Drifted(size, count, len(changes), named)))
    return rows
