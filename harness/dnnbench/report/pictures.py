"""The charts of sections: figures under a caption, drawn by `charts` when a page asks for them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from ..stats.estimates import STEPS
from . import charts, drawing
from .quantity import seconds
from .section import Chart


@dataclass(frozen=True)
class RatioPoint:
    """A ratio to the base with its interval, None where there is none."""

    phase: str
    arm: str
    backend: str
    ratio: float
    low: float | None
    high: float | None
    decided: bool
    label: str


@dataclass(frozen=True)
class RatioChart(Chart):
    """A point and a bar for each ratio to the base."""

    points: tuple[RatioPoint, ...]
    theta: float

    def spec(self, colours: Mapping[str, int]) -> drawing.Specification:
        rows = [asdict(point) for point in self.points]
        return charts.ratios(rows, self.theta, colours)


@dataclass(frozen=True)
class StepsBar:
    """An arm's training step in parts that add up to the whole."""

    arm: str
    backend: str
    parts_s: Mapping[int, float]
    """Seconds by the step's place in `stats.estimates.STEPS`, none below zero."""
    whole_s: float
    """A step timed as one."""


@dataclass(frozen=True)
class StepsChart(Chart):
    """A bar for each arm, made of the steps of training."""

    bars: tuple[StepsBar, ...]

    def spec(self, colours: Mapping[str, int]) -> drawing.Specification:
        rows = [row for bar in self.bars for row in _parts(bar)]
        return charts.training_steps(rows, colours)


def _parts(bar: StepsBar) -> list[drawing.Row]:
    end_ms = sum(bar.parts_s.values()) * 1e3
    whole = {"end_ms": end_ms, "label": seconds(bar.whole_s)}
    same = {"arm": bar.arm, "backend": bar.backend} | whole
    names = list(STEPS)
    return [
        same | {"place": place, "step": names[place], "ms": part_s * 1e3}
        for place, part_s in bar.parts_s.items()
    ]


@dataclass(frozen=True)
class CurvePoint:
    """A figure of one epoch; None where the epoch has none."""

    epoch: int
    arm: str
    backend: str
    value: float | None


@dataclass(frozen=True)
class CurveChart(Chart):
    """A line for each arm over the epochs of training; all points are `drawable`."""

    points: tuple[CurvePoint, ...]
    title: str
    log: bool

    def spec(self, colours: Mapping[str, int]) -> drawing.Specification:
        rows = [asdict(point) | {"place": colours[point.backend]} for point in self.points]
        return charts.curve(rows, self.title, self.log)


def drawable(points: Iterable[CurvePoint], log: bool) -> tuple[CurvePoint, ...]:
    """Points whose value an axis can show: a finite number, above 0 on a log axis."""
    finite = [p for p in points if p.value is not None and math.isfinite(p.value)]
    return tuple(p for p in finite if not log or (p.value is not None and p.value > 0))


@dataclass(frozen=True)
class MachinePoint:
    """A machine's time for a cell with its interval, None where there is none."""

    phase: str
    arm: str
    backend: str
    machine: str
    ms: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class MachinesChart(Chart):
    """Each machine's time for the same cells."""

    points: tuple[MachinePoint, ...]
    machines: tuple[str, ...]

    def spec(self, colours: Mapping[str, int]) -> drawing.Specification:
        rows = [asdict(point) for point in self.points]
        return charts.machines(rows, self.machines, colours)


@dataclass(frozen=True)
class ScalingPoint:
    """Throughput and latency of an arm at one value of what varies."""

    x: float | str
    arm: str
    backend: str
    value: float
    ms: float


@dataclass(frozen=True)
class ScalingChart(Chart):
    """Throughput and latency of each arm along numbers."""

    points: tuple[ScalingPoint, ...]
    axis: str
    unit: str
    """What throughput counts."""

    def spec(self, colours: Mapping[str, int]) -> drawing.Specification:
        return charts.scaling(_placed(self.points, colours), self.axis, self.unit)


@dataclass(frozen=True)
class LevelsChart(Chart):
    """Throughput of each arm at names, such as those of types."""

    points: tuple[ScalingPoint, ...]
    axis: str
    unit: str

    def spec(self, colours: Mapping[str, int]) -> drawing.Specification:
        return charts.levels(_placed(self.points, colours), self.axis, self.unit)


def _placed(points: Iterable[ScalingPoint], colours: Mapping[str, int]) -> list[drawing.Row]:
    return [asdict(point) | {"place": colours[point.backend]} for point in points]


@dataclass(frozen=True)
class RoofPoint:
    """A cell under the roof."""

    arm: str
    backend: str
    phase: str
    where: str
    intensity: float
    """Operations a byte."""
    rate: float
    """Operations a second."""


@dataclass(frozen=True)
class RooflineChart(Chart):
    """Cells under what the machine can do in one type."""

    points: tuple[RoofPoint, ...]
    flops_per_s: float
    bytes_per_s: float

    def spec(self, colours: Mapping[str, int]) -> drawing.Specification:
        rows = [asdict(point) for point in self.points]
        return charts.roofline(rows, self.flops_per_s, self.bytes_per_s, colours)
