"""Change points in a series of runs: where its level changed, found by looking again with every new
run.

A library (ruptures) proposes the place, `limit_of` decides.  The search looks after every run as a
nightly job would, so a change point once reported does not vanish when later runs come, and the
chance of a false one is that of all looks together: see `change_limits`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from .change_limits import LEAST_POINTS, LEAST_SIDE, WINDOW
from .distributions import t_quantile, t_tail
from .estimates import LEVEL, Estimate, exp_interval

LEAST_CHANGE = 0.01
"""Smaller change points are not reported: what stays the same between runs moves times by as much,
such as where a process's arrays lie.
"""
PLACES_DROP = 7.35
"""By how much 2 log likelihood may lie below its best at a place where the change point may have
been, 95 %.

Source: B. Hansen, Econometrica 68 (2000) 575, table 1.
"""
HIGHEST_CORRELATION = 0.9
A_STRAY_IN = 5
Logs = npt.NDArray[np.float64]


def missing() -> str | None:
    """What to install before change points can be looked for; None where everything is there."""
    there = find_spec("ruptures") is not None
    return None if there else "change points need pip install 'dnnbench[history]'"


@dataclass(frozen=True)
class Evidence:
    """What speaks for a change point at a place: its size, the error of that, and how often chance
    shows as much at one place and one look.
    """

    place: int
    """Of the first point after it."""
    change: float
    """Of the log level."""
    error: float
    freedom: float
    p: float

    @property
    def estimate(self) -> Estimate:
        """Level after over level before, with the interval of a change point whose place was known
        before; it was chosen, so the true one is nearer to 1 more often than not.
        """
        half = t_quantile((1 + LEVEL) / 2, self.freedom) * self.error
        return exp_interval(self.change, half, round(self.freedom) + 2)


@dataclass(frozen=True)
class ChangePoint:
    """A change of the level of a series that chance does not show."""

    evidence: Evidence
    earliest: int
    """First place at which it may have been."""
    latest: int
    seen: int
    """The point with which it was first reported."""
    is_drift: bool
    """Whether a straight line fits the points as well: then no one run made the change."""

    @property
    def place(self) -> int:
        """Of the first point after it."""
        return self.evidence.place


def find_change_points(logs: Sequence[float], limit: float) -> list[ChangePoint]:
    """Every change point of a series, oldest first, as a look after each of its runs reports them.

    logs: log times, a run each, all under the same conditions.  limit: the p value up to which a
    change point is reported, from `limit_of`.  After a change point the search begins anew behind
    it.
    """
    values = np.asarray(logs, dtype=float)
    change_points: list[ChangePoint] = []
    begin = 0
    for end in range(LEAST_POINTS, len(values) + 1):
        first = max(begin, end - WINDOW)
        change = _change_in(values[first:end], limit)
        if change is not None:
            change_points.append(_moved(change, first, end - 1))
            begin = first + change.place
    return change_points


def _change_in(values: Logs, limit: float) -> "ChangePoint | None":
    """The change point that a look at these points reports."""
    if len(values) < LEAST_POINTS:
        return None
    evidence = evidence_at(values, proposed_place(values))
    if evidence.p > limit or abs(evidence.change) < math.log1p(LEAST_CHANGE):
        return None
    if has_strays(values, evidence.place):
        return None
    places = possible_places(values)
    return ChangePoint(
        evidence, int(places[0]), int(places[-1]), len(values) - 1, _is_drift(values)
    )


def _moved(change: ChangePoint, by: int, seen: int) -> ChangePoint:
    """The same in places of the whole series."""
    evidence = change.evidence
    there = Evidence(
        evidence.place + by, evidence.change, evidence.error, evidence.freedom, evidence.p
    )
    return ChangePoint(there, change.earliest + by, change.latest + by, seen, change.is_drift)


def proposed_place(values: Logs) -> int:
    """Where one change of the mean explains most: ruptures' exact search with squared error."""
    import ruptures

    search = ruptures.KernelCPD(kernel="linear", min_size=LEAST_SIDE).fit(values[:, None])
    place, _ = search.predict(n_bkps=1)
    return int(place)


def evidence_at(values: Logs, place: int) -> Evidence:
    """Student's t of a change point at a place, for points that may resemble their neighbours:

        t = (mean after - mean before) / sqrt(s^2 (v(place, r) + v(n - place, r)))
        v(m, r) = (1 + r) / (1 - r) / m - 2 r (1 - r^m) / ((1 - r)^2 m^2)
        df = (n - 2) (1 - r) / (1 + r), 2 at least

    v: the variance of a mean of m points of a first-order autoregression of variance 1.
    r: their correlation with their neighbour, `neighbour_correlation`, not below 0.
    s^2: squares of the residuals over n - place v(place, r) - (n - place) v(n - place, r).
    """
    count = len(values)
    before, after = values[:place], values[place:]
    residuals = np.concatenate([before - before.mean(), after - after.mean()])
    r = neighbour_correlation(residuals, place)
    sides = [(len(side), variance_of_mean(len(side), r)) for side in (before, after)]
    whole = sum(variance for _, variance in sides)
    free = max(count - sum(size * variance for size, variance in sides), 1.0)
    error = math.sqrt(float(residuals @ residuals) / free * whole)
    change = float(after.mean() - before.mean())
    freedom = max((count - 2) * (1 - r) / (1 + r), 2.0)
    if error == 0:
        return Evidence(place, change, 0.0, freedom, 0.0 if change else 1.0)
    return Evidence(place, change, error, freedom, 2 * t_tail(abs(change) / error, freedom))


def has_strays(values: Logs, place: int) -> bool:
    """Whether over one in `A_STRAY_IN` points of a side is nearer to the level of the other one.

    A few outliers move a mean as a change of level does; then points beside them do not follow.
    """
    sides = (values[:place], values[place:])
    middle = (float(sides[0].mean()) + float(sides[1].mean())) / 2
    is_higher = sides[1].mean() > middle
    strays = (np.sum((sides[0] > middle) == is_higher), np.sum((sides[1] < middle) == is_higher))
    return any(n > len(side) // A_STRAY_IN for n, side in zip(strays, sides, strict=True))


def neighbour_correlation(residuals: Logs, place: int) -> float:
    """The correlation of neighbours on either side of a place, from 0 to `HIGHEST_CORRELATION`.

        r = sum e_i e_(i+1) / sum e_i^2 + (2 + 4 max(r_1, 0)) / n

    The second part takes back what fitting two means costs the first (r_1).
    Source of its form: F. Marriott and J. Pope, Biometrika 41 (1954) 390.
    """
    total = float(residuals @ residuals)
    if total == 0:
        return 0.0
    before, after = residuals[:place], residuals[place:]
    plain = float(before[1:] @ before[:-1] + after[1:] @ after[:-1]) / total
    mended = plain + (2 + 4 * max(plain, 0.0)) / len(residuals)
    return float(min(max(mended, 0.0), HIGHEST_CORRELATION))


def variance_of_mean(count: int, r: float) -> float:
    """v(m, r) of `evidence_at`."""
    carried = math.pow(r, count)
    return (1 + r) / (1 - r) / count - 2 * r * (1 - carried) / ((1 - r) ** 2 * count**2)


def possible_places(values: Logs) -> npt.NDArray[np.int64]:
    """Places at which the change point may have been: n log(RSS_k / RSS_best) at most
    `PLACES_DROP`.
    """
    places = np.arange(LEAST_SIDE, len(values) - LEAST_SIDE + 1, dtype=np.int64)
    squares = np.array([_squares(values[:k]) + _squares(values[k:]) for k in places])
    best = squares.min()
    drops = squares - best if best == 0 else len(values) * np.log(squares / best)
    possible: npt.NDArray[np.int64] = places[drops <= (0 if best == 0 else PLACES_DROP)]
    return possible


def _squares(values: Logs) -> float:
    return float(np.square(values - values.mean()).sum())


def _is_drift(values: Logs) -> bool:
    """Whether a line leaves smaller squares than the best change point."""
    times = np.arange(len(values))
    line = np.polyval(np.polyfit(times, values, 1), times)
    places = np.arange(LEAST_SIDE, len(values) - LEAST_SIDE + 1)
    best = min(_squares(values[:k]) + _squares(values[k:]) for k in places)
    return float(np.square(values - line).sum()) < best
