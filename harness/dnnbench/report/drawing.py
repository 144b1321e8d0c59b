"""Specifications of charts, made by altair, and how they are drawn: by scripts of the page, and by
`drawn` before them, to SVG, for who reads it without.
"""

import re
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..wording import one_line

if TYPE_CHECKING:
    import altair as alt

_ROLES = re.compile(r' (role|aria-[a-z]+)="[^"]*"')
"""What Vega gives every mark: a drawing is one image with one name, not a tree of nameless ones."""
Row = dict[str, Any]
"""A datum of a drawing; what each holds is said by the function that draws it."""
Specification = dict[str, Any]
"""A chart as Vega-Lite takes it."""

_LINES = {"gridColor": "var(--line)", "domainColor": "var(--line)", "tickColor": "var(--line)"}
_INK = {
    "labelColor": "currentColor",
    "titleColor": "currentColor",
    "labelFontSize": 12,
    "titleFontSize": 12,
}
LOOKS = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": _INK | _LINES | {"titleFontWeight": "normal", "titlePadding": 8},
    "legend": _INK,
    "header": _INK | {"labelPadding": 2},
}
"""What all charts have in common: Vega-Lite's `config`."""


def missing() -> str | None:
    """What to install before charts can be drawn; None where everything is there."""
    there = all(find_spec(name) is not None for name in ("altair", "vl_convert"))
    return None if there else "charts need pip install 'dnnbench[report]'"


def specification(
    chart: "alt.LayerChart | alt.FacetChart | alt.VConcatChart | alt.Chart",
) -> Specification:
    """The chart as Vega-Lite takes it, without the looks that altair gives it."""
    spec = {
        key: part
        for key, part in chart.to_dict(validate=False).items()
        if key not in ("config", "$schema")
    }
    made: Specification = _texts_printable(spec)
    return made


def drawn(spec: Specification, alt_text: str) -> str:
    """The drawing without what only a file of its own needs, and with words for those who cannot
    see it.
    """
    import vl_convert

    head, body = vl_convert.vegalite_to_svg(spec | {"config": LOOKS}).split(">", 1)
    head = re.sub(r' (xmlns(:\w+)?|version)="[^"]*"', "", head)
    body = _ROLES.sub("", body)
    return f'{head} role="img" aria-label="{escape(one_line(alt_text))}">{body}'


def _texts_printable(part: Any) -> Any:
    """A chart whose texts hold no control character: the library that draws ends the whole process
    at some.
    """
    if isinstance(part, dict):
        return {key: _texts_printable(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_texts_printable(value) for value in part]
    return one_line(part) if isinstance(part, str) else part
