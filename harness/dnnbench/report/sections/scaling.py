"""Scaling: time and throughput along batch sizes, threads, types and parameters of a network."""

from collections.abc import Sequence
from itertools import groupby

from ...protocol.keys import CaseKey
from ..builders import Builder
from ..cells import about_case, arm_cell, estimate_cell, figure, phase_cell
from ..evidence import HEADLINES, Evidence
from ..pictures import LevelsChart, ScalingChart, ScalingPoint
from ..quantity import factor, interval, percent, seconds, throughput
from ..scaling import Axis, Kind, Sweep, SweepPoint
from ..section import Cell, Column, Facet, Section, Table
from ..sweep_words import sentences, where

LEAD = (
    "The same network and arm where one thing alone varies. Gained: throughput over that of the "
    "first row, held together generation by generation; efficiency: what was gained over how many "
    "times as much was used; the plot is throughput. An arm stops gaining where no later value "
    "brings a tenth more; that is said where the intervals bear it. A latency counts as kept where "
    "the whole interval is."
)


def scaling(evidence: Evidence) -> Section | None:
    """None where nothing but arms and workloads varied."""
    every = evidence.sweeps
    if not every:
        return None
    theta = evidence.measured.theta
    return Section(
        id="scaling",
        title="Scaling",
        sentences=tuple(text for sweep in every for text in sentences(sweep, theta)),
        tables=tuple(_table(axis, list(of_axis)) for axis, of_axis in groupby(every, _axis)),
        charts=_charts(every),
        lead=LEAD,
        brief="along batch sizes, threads, types and parameters",
    )


def _axis(sweep: Sweep) -> Axis:
    return sweep.axis


def _table(axis: Axis, of_axis: Sequence[Sweep]) -> Table:
    units = {point.unit.a_second for sweep in of_axis for point in sweep.points}
    columns = (
        Column("workload", once=True),
        Column("phase", once=True),
        Column("arm", once=True),
        Column(axis.name, number=all(sweep.in_numbers for sweep in of_axis)),
        Column("time a call", number=True, spare_interval=3),
        Column(units.pop() if len(units) == 1 else "a second", number=True),
        Column("gained", number=True, spare_interval=3),
        Column("efficiency", number=True, spare=2),
        Column("plot", spare=1),
    )
    groups = tuple(
        tuple(_row(sweep, place) for place in range(len(sweep.points))) for sweep in of_axis
    )
    return Table(columns, groups, title=f"Along {axis.name}")


def _row(sweep: Sweep, place: int) -> tuple[Cell, ...]:
    point = sweep.points[place]
    value = None if isinstance(point.value, str) else float(point.value)
    gain = sweep.gain(0, place)
    return (
        Cell(where(sweep), about=_about(sweep, point)),
        phase_cell(sweep.phase),
        arm_cell(sweep.arm, sweep.backend),
        Cell(str(point.value), value=value),
        estimate_cell(point.call, seconds),
        figure(point.per_s, throughput),
        Cell(
            f"{factor(sweep.gained(place))}x",
            interval(gain.low, gain.high, factor),
            value=sweep.gained(place),
        ),
        figure(sweep.efficiency(place), percent),
        Cell(bar=100 * point.per_s / sweep.best.per_s),
    )


def _about(sweep: Sweep, point: SweepPoint) -> dict[Facet, str]:
    of_type = {Facet.TYPE: str(point.value)} if sweep.axis.kind is Kind.TYPE else {}
    return {**about_case(CaseKey(point.workload or sweep.workload, point.batch_size)), **of_type}


def _charts(every: Sequence[Sweep]) -> tuple[ScalingChart | LevelsChart, ...]:
    """One for each workload, purpose and axis."""
    drawn: dict[tuple[str, str, Axis], list[Sweep]] = {}
    for sweep in every:
        drawn.setdefault((where(sweep), sweep.phase, sweep.axis), []).append(sweep)
    return tuple(
        _chart(f"{subject}, {HEADLINES[phase]}, along {axis.name}", axis, alike)
        for (subject, phase, axis), alike in drawn.items()
    )


def _chart(caption: str, axis: Axis, alike: Sequence[Sweep]) -> ScalingChart | LevelsChart:
    points = tuple(point for sweep in alike for point in _points(sweep))
    unit = alike[0].points[0].unit.name
    about = {Facet.WORKLOAD: alike[0].points[0].workload or alike[0].workload}
    if all(sweep.in_numbers for sweep in alike):
        return ScalingChart(caption, points, axis.name, unit, about=about)
    return LevelsChart(caption, points, axis.name, unit, about=about)


def _points(sweep: Sweep) -> list[ScalingPoint]:
    return [
        ScalingPoint(
            x=str(point.value) if not sweep.in_numbers else float(point.value),
            arm=sweep.arm,
            backend=sweep.backend,
            value=point.per_s,
            ms=point.call.value * 1e3,
        )
        for point in sweep.points
    ]


BUILDER = Builder(45, scaling)
