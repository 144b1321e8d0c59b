"""The page's plots: Vega-Lite through altair, drawn to SVG files that need nothing else."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from dnnbench.stats.verdict import Verdict

from .findings import BESIDE_SECONDS, Findings
from .outcomes import count, label
from .side_by_side import EXTRAS

SIZE = {"width": 520, "height": 260}
INKS = ("#4269d0", "#efb118", "#3ca951", "#ff725c", "#a463f2", "#9c6b4e", "#6cc5b0", "#97bbf5")


def draw(found: Findings, folder: Path) -> dict[str, str]:
    """Write every plot that has something to show; name -> file name."""
    plots = {"power": _power(found), "errors": _errors(found), "peers": _peers(found)}
    return {
        name: _save(plot, folder / f"proof_{name}.svg")
        for name, plot in plots.items()
        if plot is not None
    }


def _power(found: Findings):
    """Share of SLOWER over extra work, a line for each length."""
    import altair as alt

    rows = list(_power_rows(found))
    if not rows:
        return None
    x = alt.X(
        "extra:Q", title="extra work in the step", axis=alt.Axis(format="%", values=list(EXTRAS))
    )
    y = alt.Y(
        "share:Q", title="verdict SLOWER", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
    )
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, color=_colour("visits", "visits a cell"))
    bars = base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("lower:Q"), y2="upper:Q")
    return (base.mark_line(point=True).encode(y=y) + bars).properties(**SIZE)


def _power_rows(found: Findings) -> Iterator[dict]:
    """Extra work without trials has a row without numbers, which breaks the line there."""
    for place, (seconds, frame) in enumerate(found.verdicts.items()):
        for extra in EXTRAS if len(frame) else ():
            said = count(frame["said"][frame["extra"] == extra] == Verdict.SLOWER)
            limits = (
                {"lower": said.lower, "upper": said.upper, "share": said.share}
                if said.n
                else {"share": None}
            )
            yield {"visits": label(seconds), "extra": extra + 0.0008 * (place - 1)} | limits


def _errors(found: Findings):
    """Every estimate of a ratio, less its truth, by length."""
    import altair as alt

    rows = [
        {
            "visits": label(seconds),
            "extra": f"{extra:+.0%}" if extra else "A/A",
            "error": float(error),
        }
        for seconds, frame in found.verdicts.items()
        for extra, part in frame.groupby("extra")
        for error in np.log(part["value"]) - part["truth"]
    ]
    if not rows:
        return None
    x = alt.X("error:Q", title="measured ratio less the true one", axis=alt.Axis(format="+.1%"))
    y = alt.Y("extra:N", title="extra work", sort=[row["extra"] for row in rows])
    points = alt.Chart(alt.Data(values=rows)).mark_tick(thickness=1.5, opacity=0.6)
    points = points.encode(
        x=x, y=y, color=_colour("visits", "visits a cell"), yOffset=alt.YOffset("visits:N")
    )
    return points.properties(width=SIZE["width"], height=alt.Step(14))


def _peers(found: Findings):
    """Both errors of every rule in the shortest comparison, which has most trials.

    Down and left is better.
    """
    import altair as alt

    rows = [
        {
            "rule": row.rule,
            "how": f"{row.order}, {row.seconds:g} s a side",
            "alarms": row.errors[0],
            "missed": row.errors[1],
        }
        for row in found.beside
        if row.whole and row.seconds <= BESIDE_SECONDS[0]
    ]
    if not rows:
        return None
    x = alt.X("alarms:Q", title="false alarms between equals", axis=alt.Axis(format="%"))
    y = alt.Y("missed:Q", title="slowdowns of 5 % missed", axis=alt.Axis(format="%"))
    shape = alt.Shape("how:N", legend=alt.Legend(title="visits"))
    points = alt.Chart(alt.Data(values=rows)).mark_point(size=90, strokeWidth=2, opacity=0.9)
    return points.encode(x=x, y=y, shape=shape, color=_colour("rule", "rule")).properties(**SIZE)


def _colour(field: str, title: str):
    import altair as alt

    return alt.Color(
        f"{field}:N",
        scale=alt.Scale(range=list(INKS)),
        legend=alt.Legend(title=title, labelLimit=260),
        sort=None,
    )


def _save(chart, path: Path) -> str:
    import vl_convert

    chart = chart.configure(background="white", font="system-ui, sans-serif").configure_view(
        stroke=None
    )
    path.write_text(vl_convert.vegalite_to_svg(chart.to_json()))
    return path.name
