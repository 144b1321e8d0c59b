"""Charts for the page: each function takes plain rows and returns a specification.

Colours are CSS variables of the page (`--backend-N`, `--line`, `--band` and others), so that a
chart follows the reader's light or dark.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .drawing import Row, Specification, specification
from .palette import variable

if TYPE_CHECKING:
    import altair as alt

WIDTH = 400
ROW = 19
BAR = 26
LETTER = 7.5
"""Pixels a letter of an axis label may need, whatever font the reader has."""
TICKS = [m * 10.0**e for e in range(-7, 7) for m in (1, 2, 5)]
FURTHEST = 4.0
"""How many times beyond all points a bar may reach before it is cut."""
STEP_OPACITY = (1.0, 0.7, 0.45, 0.22)
"""Of the four steps of training, in their order; the page's key to the bars uses it too."""
SHAPES = ("circle", "diamond", "triangle-up", "square", "cross", "triangle-down")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])


def ratios(rows: Sequence[Row], theta: float, colours: Mapping[str, int]) -> Specification:
    """A point and a bar for each ratio to the base, the dead zone shaded; hollow: undecided.

    rows: phase, arm, backend, ratio, low, high (None without an interval), decided, label.
    """
    import altair as alt

    rows = _cut(rows)
    placed = [row | {"end": max(_numbers(row, "ratio", "high"))} for row in rows]
    seen = [number for row in rows for number in _numbers(row, "ratio", "low", "high")]
    scale = _log_scale([*seen, 1 / (1 + theta), 1 + theta], room=0.22)
    x = alt.X(
        "ratio:Q",
        scale=scale,
        title="time relative to the base, log axis",
        axis=_log_axis(scale, "×"),
    )
    colour = _by_backend(colours)
    inside = alt.condition("datum.decided", colour, alt.value("var(--surface)"))
    base = alt.Chart(alt.InlineData(values=placed))
    by_arm = base.encode(y=_arms(rows))
    layers = (
        base.mark_rect(color="var(--band)").encode(
            x=alt.datum(1 / (1 + theta)), x2=alt.datum(1 + theta)
        ),
        base.mark_rule(color="var(--muted)", strokeWidth=1).encode(x=alt.datum(1.0)),
        by_arm.mark_rule(strokeWidth=2.5).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", color=colour
        ),
        by_arm.mark_point(size=60, strokeWidth=2, opacity=1).encode(
            x=x, stroke=colour, fill=inside, tooltip=_tips("arm", "phase", "ratio", "low", "high")
        ),
        _labels(by_arm).encode(x=alt.X("end:Q", scale=scale), text="label:N"),
    )
    return specification(_by_phase(layers, rows)) | {"usermeta": {"ratios": True}}


def training_steps(rows: Sequence[Row], colours: Mapping[str, int]) -> Specification:
    """One bar for each arm, made of the four steps of training.

    rows: arm, backend, step, place (0 to 3, of the step), ms (none below zero), end_ms (of the
    whole bar), label (of the whole).
    """
    import altair as alt

    shown = [row | {"opacity": STEP_OPACITY[row["place"]]} for row in rows]
    base = alt.Chart(alt.InlineData(values=shown)).encode(
        y=_arms(sorted(rows, key=lambda row: row["end_ms"]))
    )
    bars = base.mark_bar(
        stroke="var(--surface)", strokeWidth=1, height=alt.RelativeBandSize(0.74)
    ).encode(
        x=alt.X(
            "ms:Q", stack="zero", title="milliseconds a training step", axis=alt.Axis(tickCount=6)
        ),
        color=_by_backend(colours),
        fillOpacity=alt.FillOpacity("opacity:Q", scale=None),
        order="place:O",
        tooltip=_tips("arm", "step", "ms"),
    )
    whole = _labels(base.transform_filter("datum.place == 0")).encode(x="end_ms:Q", text="label:N")
    return specification(alt.layer(bars, whole).properties(width=WIDTH, height=alt.Step(BAR)))


def curve(rows: Sequence[Row], title: str, log: bool) -> Specification:
    """A line for each arm over the epochs of training.

    rows: epoch, arm, place (of the colour), and value: a finite number, above 0 on a log axis.
    """
    import altair as alt

    arms = {row["arm"]: row["place"] for row in rows}
    dashes = [DASHES[_earlier(list(arms.values()), i)] for i in range(len(arms))]
    domain, inks = list(arms), [variable(place) for place in arms.values()]
    legend = alt.Legend(
        title=None, orient="top", columns=2, columnPadding=36, symbolStrokeWidth=2.5
    )
    values = [row["value"] for row in rows]
    scale = _log_scale(values, room=0.05) if log else alt.Scale(zero=False)
    axis = _log_axis(scale) if log else alt.Axis(tickCount=6)
    chart = alt.Chart(alt.InlineData(values=list(rows))).mark_line(strokeWidth=2)
    chart = chart.encode(
        x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d", tickCount=8)),
        y=alt.Y("value:Q", title=title, scale=scale, axis=axis),
        color=alt.Color("arm:N", scale=alt.Scale(domain=domain, range=inks), legend=legend),
        strokeDash=alt.StrokeDash(
            "arm:N", scale=alt.Scale(domain=domain, range=dashes), legend=legend
        ),
        tooltip=_tips("arm", "epoch", "value"),
    )
    return specification(chart.properties(width=WIDTH, height=220))


def machines(
    rows: Sequence[Row], names: Sequence[str], colours: Mapping[str, int]
) -> Specification:
    """Each machine's time for the same cells: a shape for each machine, a colour for each backend.

    rows: phase, arm, backend, machine (of `names`), ms, low, high (None without an interval).
    """
    import altair as alt

    scale = _log_scale([n for row in rows for n in _numbers(row, "ms", "low", "high")], room=0.06)
    x = alt.X("ms:Q", scale=scale, title="milliseconds a call, log axis", axis=_log_axis(scale))
    ink = "currentColor"
    legend = alt.Legend(
        title=None,
        orient="top",
        columns=2,
        columnPadding=60,
        symbolFillColor=ink,
        symbolStrokeColor=ink,
    )
    shapes = [SHAPES[place % len(SHAPES)] for place in range(len(names))]
    shape = alt.Shape("machine:N", scale=alt.Scale(domain=list(names), range=shapes), legend=legend)
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(
        y=_arms(rows), color=_by_backend(colours)
    )
    layers = (
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_point(size=70, filled=True, opacity=1).encode(
            x=x, shape=shape, tooltip=_tips("machine", "arm", "phase", "ms", "low", "high")
        ),
    )
    return specification(_by_phase(layers, rows))


def scaling(rows: Sequence[Row], title: str, unit: str) -> Specification:
    """A line for each arm along what varies, all axes logarithmic: throughput, and below it the
    time of a call.

    rows: x, arm, place (of the colour), value (units a second), ms (of a call).
    """
    import altair as alt

    base = alt.Chart(alt.InlineData(values=list(rows))).encode(color=_by_arm(rows))
    above = _line(base, "value", f"{unit} a second", [row["value"] for row in rows])
    below = _line(base, "ms", "milliseconds a call", [row["ms"] for row in rows])
    parts = (
        above.encode(x=_along(rows, None)),
        below.encode(x=_along(rows, f"{title}, log axis")),
    )
    return specification(alt.vconcat(*parts, spacing=8))


def _along(rows: Sequence[Row], title: str | None) -> "alt.X":
    """The axis of what varies; without a title, above one that has it."""
    import altair as alt

    values = sorted({row["x"] for row in rows})
    axis = alt.Axis(values=values, format="~g", labels=title is not None)
    return alt.X("x:Q", title=title, scale=alt.Scale(type="log", base=2), axis=axis)


def _line(base: "alt.Chart", name: str, title: str, values: Sequence[float]) -> "alt.LayerChart":
    import altair as alt

    scale = _log_scale(values, room=0.08)
    y = alt.Y(f"{name}:Q", title=title, scale=scale, axis=_log_axis(scale))
    lines = base.mark_line(strokeWidth=2).encode(y=y)
    points = base.mark_point(filled=True, size=55, opacity=1).encode(
        y=y, tooltip=_tips("arm", "x", "value", "ms")
    )
    return alt.LayerChart(layer=[lines, points]).properties(width=WIDTH, height=140)


def levels(rows: Sequence[Row], title: str, unit: str) -> Specification:
    """A bar for each arm at each name of what varies.

    rows: x (a name), arm, place (of the colour), value (units a second), ms (of a call).
    """
    import altair as alt

    names = list(dict.fromkeys(row["x"] for row in rows))
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    chart = alt.Chart(alt.InlineData(values=list(rows))).mark_bar()
    chart = chart.encode(
        x=alt.X("value:Q", title=f"{unit} a second", axis=alt.Axis(tickCount=6, format="~s")),
        y=alt.Y("x:N", sort=names, title=title),
        yOffset=alt.YOffset("arm:N", sort=arms),
        color=_by_arm(rows),
        tooltip=_tips("arm", "value", "ms"),
    )
    return specification(chart.properties(width=WIDTH, height=alt.Step(ROW, **{"for": "offset"})))


def _by_arm(rows: Sequence[Row]) -> "alt.Color":
    import altair as alt

    arms = {row["arm"]: row["place"] for row in rows}
    inks = [variable(place) for place in arms.values()]
    legend = alt.Legend(title=None, orient="top", columns=2, labelLimit=WIDTH)
    return alt.Color("arm:N", scale=alt.Scale(domain=list(arms), range=inks), legend=legend)


def roofline(
    rows: Sequence[Row], flops_per_s: float, bytes_per_s: float, colours: Mapping[str, int]
) -> Specification:
    """Each cell under the roof min(peak operations, intensity x peak bytes), both axes logarithmic.

    rows: arm, backend, phase, where, intensity (operations a byte), rate (operations a second).
    """
    import altair as alt

    ridge = flops_per_s / bytes_per_s
    intensities = [row["intensity"] for row in rows]
    ends = min([*intensities, ridge]) / 1.6, max([*intensities, ridge]) * 1.6
    roof = [
        {"intensity": at, "rate": min(flops_per_s, at * bytes_per_s)}
        for at in (ends[0], ridge, ends[1])
    ]
    x_scale = alt.Scale(type="log", domain=list(ends), nice=False)
    y_scale = _log_scale([row["rate"] for row in (*rows, *roof)], room=0.08)
    x = alt.X(
        "intensity:Q",
        title="operations a byte, log axis",
        scale=x_scale,
        axis=_log_axis(x_scale),
    )
    y = alt.Y(
        "rate:Q",
        title="operations a second, log axis",
        scale=y_scale,
        axis=alt.Axis(format="~s", tickCount=5),
    )
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    shape = alt.Shape(
        "phase:N",
        scale=alt.Scale(domain=phases, range=list(SHAPES[: len(phases)])),
        legend=alt.Legend(title=None, orient="top", symbolFillColor="currentColor"),
    )
    line = alt.Chart(alt.InlineData(values=roof)).mark_line(
        color="var(--muted)", strokeWidth=2
    ).encode(x=x, y=y)  # fmt: skip
    points = (
        alt.Chart(alt.InlineData(values=list(rows)))
        .mark_point(filled=True, size=60, opacity=1)
        .encode(
            x=x,
            y=y,
            color=_by_backend(colours),
            shape=shape,
            tooltip=_tips("where", "arm", "phase", "intensity", "rate"),
        )
    )
    return specification(alt.layer(line, points).properties(width=WIDTH, height=240))


def _cut(rows: Sequence[Row]) -> list[Row]:
    """Intervals cut where they would squeeze the points together, far beyond them."""
    least, most = (
        min(row["ratio"] for row in rows) / FURTHEST,
        max(row["ratio"] for row in rows) * FURTHEST,
    )
    return [
        row
        if row["low"] is None
        else row | {"low": max(row["low"], least), "high": min(row["high"], most)}
        for row in rows
    ]


def _earlier(colours: Sequence[int], place: int) -> int:
    """How many arms of the same colour come before: they differ in their dashes."""
    return min(colours[:place].count(colours[place]), len(DASHES) - 1)


def _numbers(row: Row, *names: str) -> list[float]:
    return [row[name] for name in names if row[name] is not None]


def _log_scale(values: Sequence[float], room: float) -> "alt.Scale":
    """From the least to the greatest value; `room`: share of that added above, for labels."""
    import altair as alt

    low, high = min(values), max(values)
    span = max(math.log(high / low), 0.1)
    return alt.Scale(
        type="log", domain=[low * math.exp(-0.05 * span), high * math.exp(room * span)], nice=False
    )


def _log_axis(scale: "alt.Scale", unit: str = "") -> "alt.Axis":
    import altair as alt

    low, high = scale.domain
    ticks = [tick for tick in TICKS if low <= tick <= high]
    if len(ticks) > 9:
        ticks = [tick for tick in ticks if f"{tick:e}"[0] == "1"]
    chosen = {"values": ticks} if len(ticks) > 2 else {"tickCount": 4}
    return alt.Axis(labelExpr=f"format(datum.value, '.4~g') + '{unit}'", grid=True, **chosen)


def _arms(rows: Sequence[Row]) -> "alt.Y":
    """The axis of arms, in the order of the rows."""
    import altair as alt

    arms = list(dict.fromkeys(row["arm"] for row in rows))
    widest = LETTER * max(map(len, arms))
    return alt.Y(
        "arm:N",
        sort=arms,
        title=None,
        axis=alt.Axis(minExtent=widest, labelLimit=2 * widest, ticks=False),
    )


def _by_backend(colours: Mapping[str, int]) -> "alt.Color":
    import altair as alt

    scale = alt.Scale(domain=list(colours), range=[variable(place) for place in colours.values()])
    return alt.Color("backend:N", scale=scale, legend=None)


_TEXTS = ("arm", "phase", "step", "machine", "where")
"""Columns that are no figures."""


def _tips(*names: str) -> list["alt.Tooltip"]:
    """What a pointer that rests on a mark is shown: names and figures of its row."""
    import altair as alt

    return [
        alt.Tooltip(f"{name}:N") if name in _TEXTS else alt.Tooltip(f"{name}:Q", format=".4~g")
        for name in names
    ]


def _labels(chart: "alt.Chart") -> "alt.Chart":
    marked: alt.Chart = chart.mark_text(align="left", dx=8, color="currentColor", fontSize=11)
    return marked


def _by_phase(layers: Sequence["alt.Chart"], rows: Sequence[Row]) -> "alt.FacetChart":
    """One strip for each phase, in the order of the rows, all on one axis."""
    import altair as alt

    phases = list(dict.fromkeys(row["phase"] for row in rows))
    header = alt.Header(
        title=None, labelAngle=0, labelAnchor="start", labelOrient="top", labelFontWeight="bold"
    )
    strips = alt.LayerChart(layer=list(layers)).properties(width=WIDTH, height=alt.Step(ROW))
    return strips.facet(row=alt.Row("phase:N", sort=phases, header=header), spacing=6)
