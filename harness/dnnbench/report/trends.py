"""A cell over runs as a chart: a point and its interval for each, levels between change points."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from .drawing import Specification, specification
from .palette import variable
from .section import Chart

WIDTH, HEIGHT = 640, 150


@dataclass(frozen=True)
class TrendPoint:
    """A run's figure with its interval, None where there is none."""

    run: str
    began: str
    """ISO 8601, UTC."""
    value: float
    low: float | None
    high: float | None
    judged: bool
    level: int
    """The number of the stretch between change points and breaks that it lies in."""
    mean: float
    """Of the judged points of that stretch."""


@dataclass(frozen=True)
class TrendChart(Chart):
    """Points over the time of their runs; hollow: not judged; a line for each level."""

    points: tuple[TrendPoint, ...]
    backend: str
    axis: str
    """What a figure is, behind the figure."""
    breaks: tuple[str, ...] = ()
    """When conditions changed: the beginnings of the first runs after it."""

    def spec(self, colours: Mapping[str, int]) -> Specification:
        import altair as alt

        ink = variable(colours[self.backend])
        values = [asdict(point) for point in self.points]
        dates = alt.Axis(grid=False, format="%Y-%m-%d", tickCount=6, labelOverlap=True)
        x = alt.X("began:T", title=None, axis=dates)
        scale = alt.Scale(zero=False)
        base = alt.Chart(alt.InlineData(values=values)).encode(x=x)
        marks = alt.Chart(alt.InlineData(values=[{"began": time} for time in self.breaks]))
        inside = alt.condition("datum.judged", alt.value(ink), alt.value("var(--surface)"))
        layers = (
            marks.mark_rule(color="var(--muted)", strokeDash=[3, 3]).encode(x="began:T"),
            base.mark_line(color="var(--muted)", strokeWidth=1.5).encode(
                y=alt.Y("mean:Q", scale=scale), detail="level:N"
            ),
            base.mark_rule(color=ink, strokeWidth=1.5).encode(
                y=alt.Y("low:Q", scale=scale, title=self.axis), y2="high:Q"
            ),
            base.mark_point(size=36, strokeWidth=1.5, opacity=1, stroke=ink).encode(
                y=alt.Y("value:Q", scale=scale),
                fill=inside,
                tooltip=[
                    alt.Tooltip("run:N"),
                    *(alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")),
                ],
            ),
        )
        chart = alt.LayerChart(layer=list(layers)).properties(width=WIDTH, height=HEIGHT)
        return specification(chart)
