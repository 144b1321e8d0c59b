"""Scaling: time and throughput along batch sizes, threads and types; where an arm stops to gain."""

from collections.abc import Sequence
from itertools import groupby

from ...protocol.keys import CaseKey
from ..builders import Builder
from ..cells import about_case, arm_cell, estimate_cell, figure, phase_cell
from ..evidence import HEADLINES, Evidence
from ..pictures import ScalingChart, ScalingPoint
from ..quantity import factor, percent, seconds, throughput
from ..scaling import Axis, Sweep, SweepPoint, sweeps
from ..section import Cell, Column, Facet, Section, Table

LATENCIES_S = (1e-3, 1e-2, 1e-1)
LEAD = (
    "The same network and arm where one thing alone varies. Gained: examples a second over those "
    "of the first row; efficiency: what was gained over how many times as much was used. An arm "
    "stops to gain where no next value brings a tenth more."
)


def scaling(evidence: Evidence) -> Section | None:
    """None where nothing but arms and workloads varied."""
    every = sweeps(evidence.measured)
    if not every:
        return None
    return Section(
        id="scaling",
        title="Scaling",
        sentences=tuple(_sentence(sweep) for sweep in every),
        tables=tuple(_table(axis, list(of_axis)) for axis, of_axis in groupby(every, _axis)),
        charts=_charts(every),
        lead=LEAD,
        brief="along batch sizes, threads and types",
    )


def _axis(sweep: Sweep) -> Axis:
    return sweep.axis


def _where(sweep: Sweep) -> str:
    if sweep.batch_size is None:
        return sweep.workload
    return str(CaseKey(sweep.workload, sweep.batch_size))


def _sentence(sweep: Sweep) -> str:
    best, enough = sweep.best, sweep.enough
    begin = f"{_where(sweep)}, {HEADLINES[sweep.phase]} with {sweep.arm}"
    most = f"most examples a second, {throughput(best.examples_per_s)}, with {_named(sweep, best)}"
    if sweep.axis is Axis.TYPE:
        return f"{begin}: {most}"
    stops = f"from {_named(sweep, enough)} on no next one brings a tenth more"
    if enough is sweep.points[-1]:
        stops = "it gains to the end"
    return "; ".join([f"{begin}: {most}", stops, *_within(sweep)])


def _named(sweep: Sweep, point: SweepPoint) -> str:
    if sweep.axis is Axis.THREADS:
        return "1 thread" if point.value == 1 else f"{point.value} threads"
    return f"batch {point.value}" if sweep.axis is Axis.BATCH else str(point.value)


def _within(sweep: Sweep) -> list[str]:
    """The largest batch within some latencies, of those that tell batches apart."""
    if sweep.axis is not Axis.BATCH:
        return []
    largest = [(limit, sweep.within(limit)) for limit in LATENCIES_S]
    telling = [
        f"batch {point.value} within {seconds(limit)}"
        for limit, point in largest
        if point is not None and point is not sweep.points[-1]
    ]
    return [f"the largest: {', '.join(telling)}"] if telling else []


def _table(axis: Axis, of_axis: Sequence[Sweep]) -> Table:
    columns = (
        Column("workload", once=True),
        Column("phase", once=True),
        Column("arm", once=True),
        Column(axis, number=axis is not Axis.TYPE),
        Column("time a call", number=True),
        Column("examples a second", number=True),
        Column("gained", number=True),
        Column("efficiency", number=True, spare=1),
    )
    groups = tuple(tuple(_row(sweep, point) for point in sweep.points) for sweep in of_axis)
    return Table(columns, groups, title=f"Along {axis}")


def _row(sweep: Sweep, point: SweepPoint) -> tuple[Cell, ...]:
    about = {
        **about_case(CaseKey(sweep.workload, point.batch_size)),
        **({Facet.TYPE: str(point.value)} if sweep.axis is Axis.TYPE else {}),
    }
    value = None if isinstance(point.value, str) else float(point.value)
    return (
        Cell(_where(sweep), about=about),
        phase_cell(sweep.phase),
        arm_cell(sweep.arm, sweep.backend),
        Cell(str(point.value), value=value),
        estimate_cell(point.call, seconds),
        figure(point.examples_per_s, throughput),
        Cell(f"{factor(sweep.gain(point))}x", value=sweep.gain(point)),
        figure(sweep.efficiency(point), percent),
    )


def _charts(every: Sequence[Sweep]) -> tuple[ScalingChart, ...]:
    """One for each workload, purpose and axis of numbers."""
    points: dict[tuple[str, str, Axis], list[ScalingPoint]] = {}
    for sweep in every:
        if sweep.axis is not Axis.TYPE:
            key = _where(sweep), sweep.phase, sweep.axis
            points.setdefault(key, []).extend(_points(sweep))
    return tuple(
        ScalingChart(f"{where}, {HEADLINES[phase]}, along {axis}", tuple(drawn), str(axis))
        for (where, phase, axis), drawn in points.items()
    )


def _points(sweep: Sweep) -> list[ScalingPoint]:
    return [
        ScalingPoint(
            x=float(point.value),
            arm=sweep.arm,
            backend=sweep.backend,
            value=point.examples_per_s,
            ms=point.call.value * 1e3,
        )
        for point in sweep.points
    ]


BUILDER = Builder(45, scaling)
