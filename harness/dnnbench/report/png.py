"""The charts of a report as PNG files, for slides and papers: light, on white."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import StoreError, UsageError
from . import drawing, palette
from .parts import Part

_INKS = {
    "var(--surface)": "#ffffff",
    "var(--line)": "#dfe3e8",
    "var(--band)": "#dde3ea",
    "var(--muted)": "#56606c",
    "currentColor": "#1a1f26",
    "transparent": "#ffffff",
}
_INKS |= {palette.variable(place): ink for place, ink in enumerate(palette.COLOURS)}
SCALE = 2.0
"""Pixels of the file for one of the chart."""
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")


def write_pngs(parts: Sequence[Part], folder: str | Path, colours: dict[str, int]) -> list[Path]:
    """A file for each chart, in a folder that is made; UsageError without what draws them,
    StoreError where one cannot be written.
    """
    missing = drawing.missing()
    if missing:
        raise UsageError(f"report: --png: {missing}")
    import vl_convert

    written = []
    for name, spec in _named(parts, colours):
        path = Path(folder) / f"{name}.png"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(vl_convert.vegalite_to_png(on_white(spec), scale=SCALE))
        except OSError as error:
            raise StoreError(
                f"report: {path} cannot be written ({error.strerror}); name another folder"
            ) from error
        written.append(path)
    return written


def _named(
    parts: Sequence[Part], colours: dict[str, int]
) -> list[tuple[str, drawing.Specification]]:
    """Every chart by the section, its number there, and its caption."""
    named = []
    for part in parts:
        for section in part.sections:
            for number, chart in enumerate(section.charts, 1):
                caption = _NO_NAME.sub("-", chart.caption).strip("-")[:60]
                name = f"{part.prefix}{section.id}-{number}-{caption}"
                named.append((name, chart.spec(colours)))
    return named


def on_white(spec: drawing.Specification) -> drawing.Specification:
    """With colours in the place of the page's variables."""
    text = json.dumps(spec | {"config": drawing.LOOKS})
    for variable, ink in _INKS.items():
        text = text.replace(f'"{variable}"', f'"{ink}"')
    made: drawing.Specification = json.loads(text)
    return made
