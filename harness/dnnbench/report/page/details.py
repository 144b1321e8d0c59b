"""What the page shows of a cell that is opened: how its visits lie, each round, its facts."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...stats.estimates import CONTENDED, Visits
from ..evidence import Evidence
from ..summary_rows import CellSummary
from ..words import word_of
from .telling import Telling

QUANTILES = 32
POINTS = 64
"""Rounds that are shown of a cell; of more, neighbours are shown by their median."""
_MIDDLES = (np.arange(QUANTILES) + 0.5) / QUANTILES
StartParts = tuple[str, float, float, float]
Against = tuple[float, float | None, float | None, str]
"""(ratio, the ends of its interval, the verdict as the verdict column shows it)"""
Starts = dict[tuple[str, int, str, str], tuple[StartParts, ...]]
"""By workload, batch size, arm and phase."""


class RoundPoint(NamedTuple):
    """Neighbouring rounds of one generation, all contended or all clean."""

    round: int
    generation: int
    call_s: float
    contended: bool


@dataclass(frozen=True)
class CellDetail:
    """A cell; what it lacks is None, or empty."""

    id: str
    workload: str
    batch: int
    phase: str
    arm: str
    backend: str
    type: str
    device: str
    threads: int
    status: str
    reason: str | None
    call_s: float | None
    low: float | None
    high: float | None
    generations: int | None
    visits: int | None
    dropped: int | None
    flops: int | None
    peak_rss_bytes: int | None
    peak_device_bytes: int | None
    starts: tuple[StartParts, ...]
    """(state of the compile caches, seconds of import, of build, of the first call)"""
    against: Against | None
    """The base of the run."""
    quantiles: tuple[float, ...] = ()
    """Seconds a call in the middle of each 32nd of the visits that count."""
    rounds: tuple[RoundPoint, ...] = ()


def details_of(evidence: Evidence) -> list[CellDetail]:
    """Every cell of a run that can be opened, in the order of the plan."""
    telling, starts = Telling(evidence), _starts(evidence)
    with_visits = {row.cell_id for row in telling.cells}
    return [_detail(evidence, row, row.cell_id in with_visits, starts) for row in telling.opened]


def _detail(evidence: Evidence, row: CellSummary, is_opened: bool, starts: Starts) -> CellDetail:
    run = evidence.measured
    visits = run.visits.get(row.cell_id) if is_opened else None
    dropped = run.dropped[row.case]
    return CellDetail(
        id=row.cell_id,
        workload=row.workload,
        batch=row.batch_size,
        phase=row.phase,
        arm=row.arm,
        backend=row.backend,
        type=row.dtype,
        device=row.device,
        threads=row.threads,
        status=row.status,
        reason=row.verdict_reason or evidence.time_doubts.get(row.cell_id) or row.reason,
        call_s=row.call_s,
        low=row.call_s_low,
        high=row.call_s_high,
        generations=row.generations,
        visits=row.visits,
        dropped=row.rounds_dropped,
        flops=row.flops,
        peak_rss_bytes=row.peak_rss_bytes,
        peak_device_bytes=row.peak_device_bytes,
        starts=starts.get((row.workload, row.batch_size, row.arm, row.phase), ()),
        against=_against(row),
        quantiles=() if visits is None else quantiles(visits.without(dropped)),
        rounds=() if visits is None else round_points(visits, dropped),
    )


def _against(row: CellSummary) -> Against | None:
    if row.ratio is None:
        return None
    return row.ratio, row.ratio_low, row.ratio_high, word_of(row)


def _starts(evidence: Evidence) -> Starts:
    """Of every cell, by what names it."""
    starts: Starts = {}
    for start in evidence.starts:
        key = start.workload, start.batch_size, start.arm, start.phase
        import_s, build_s = short(start.import_s), short(start.build_s)
        parts = (start.caches, import_s, build_s, short(start.first_call_s))
        starts[key] = (*starts.get(key, ()), parts)
    return starts


def quantiles(visits: Visits) -> tuple[float, ...]:
    """Seconds a call, from the fastest to the slowest; each stands for as many visits."""
    if not len(visits.call_s):
        return ()
    return tuple(map(short, np.quantile(visits.call_s, _MIDDLES)))


def round_points(visits: Visits, dropped: np.ndarray) -> tuple[RoundPoint, ...]:
    """The rounds in their order, contended ones among them."""
    if not len(visits.keys):
        return ()
    order = np.argsort(visits.keys, kind="stable")
    contended = np.isin(visits.keys, dropped) | ((visits.flags & CONTENDED) != 0)
    size = max(-(-len(order) // POINTS), 1)
    points = []
    for generation in np.unique(visits.generation):
        of_one = order[visits.generation[order] == generation]
        for start in range(0, len(of_one), size):
            points += _of_neighbours(visits, contended, of_one[start : start + size])
    return tuple(points)


def _of_neighbours(visits: Visits, contended: np.ndarray, places: np.ndarray) -> list[RoundPoint]:
    """One point for the clean rounds among them, one for the contended."""
    points = []
    for is_contended in (False, True):
        alike = places[contended[places] == is_contended]
        if len(alike):
            middle = short(np.median(visits.call_s[alike]))
            first = alike[0]
            number, generation = int(visits.round[first]), int(visits.generation[first])
            points.append(RoundPoint(number, generation, middle, is_contended))
    return points


def short(value_s: float) -> float:
    """Four digits: what a chart can show."""
    return float(f"{value_s:.4g}")
