"""Sections as one page for the browser: offline, readable without a script, safe to send."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .. import __version__
from ..store.store import Store
from ..wording import printable
from . import drawing, palette, words
from .across.by import by_named
from .across.compared import side_by_side
from .evidence import Evidence
from .page.cut import shown_part
from .page.data import page_data
from .page.rows import name_of, shown_groups
from .page.scripts import own_script, policy
from .page.vega import licences, vega_script
from .parts import Part, gathered, origin_of, parts_of, title_of
from .quantity import percent
from .section import Chart, Section
from .writing import write_report

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

CHIPS = {"FASTER": "▼", "SLOWER": "▲", "SAME": "=", "UNDECIDED": "?", words.NOT_JUDGED: "–"}
MOST_DRAWN = 40
"""Charts that stand in a page as drawings, too, for who reads it without scripts."""


def render_report(
    stores: Sequence[Store], out: str | Path, *, runs: Sequence[str], by: str | None = None
) -> Path:
    """Write the page for runs, each a run_id of the store in its place.

    by: 'machine', 'version' or 'dtype' sets the cells that the runs share side by side.  returns:
    the file written; its folders are made. Raises UsageError for another `by`, or for runs that
    have nothing to set side by side, StoreError where the file cannot be written.
    """
    evidence = gathered(stores, runs)
    places = [store.place for store in stores]
    across = None if by is None else side_by_side(evidence, by_named(by), places)
    return write_report(out, page_of(evidence, parts_of(evidence, across), at=out))


def page_of(
    runs: Sequence[Evidence],
    parts: Sequence[Part] | None = None,
    *,
    static: bool = False,
    at: str | Path | None = None,
) -> str:
    """The text of the page.

    parts: what it shows of the runs, by default each run's own part   static: without scripts.
    at: where the page will be, from where its links lead to files beside the store; without it,
    beside the store.
    """
    shown = [shown_part(part) for part in (parts_of(runs) if parts is None else parts)]
    colours = colours_of(runs)
    scripts = [] if static else [vega_script(), own_script()]
    specs = {} if static or drawing.missing() else _specs(shown, colours)
    data = "" if static else page_data(shown, list(specs.values()))
    values = {
        "parts": shown,
        "runs": runs,
        "title": title_of(runs),
        "origin": origin_of(runs),
        "types": {row.arm: row.dtype for run in runs for row in run.rows},
        "scripts": scripts,
        "policy": policy(scripts),
        "licences": licences(),
        "data": data,
        "numbers": {chart: number for number, chart in enumerate(specs)},
        "specs": list(specs.values()),
        "files": {part.prefix: _way(part.run, at) for part in shown if part.run is not None},
    }
    return _page("report.html.j2", colours, **values)


def _way(run: Evidence, at: str | Path | None) -> str:
    """From the page to the folder of the run's store, as a link has it."""
    if run.folder is None or at is None:
        return ""
    try:
        way = os.path.relpath(run.folder, Path(at).parent)
    except ValueError:  # another drive
        return ""
    return "" if way == os.curdir else f"{quote(Path(way).as_posix())}/"


def _specs(parts: Sequence[Part], colours: Mapping[str, int]) -> dict[int, drawing.Specification]:
    """What Vega-Lite draws of each chart, by the chart's identity, in their order."""
    every = [chart for part in parts for section in part.sections for chart in section.charts]
    return {id(chart): chart.spec(colours) for chart in every}


def section_html(section: Section, colours: Mapping[str, int]) -> str:
    """One section alone, as a notebook shows it.  colours: from `palette.places`."""
    return _page(
        "alone.html.j2", colours, section=section, types={}, numbers={}, specs=[], files={}
    )


def sections_page(
    title: str, origin: str, sections: Sequence[Section], backends: Iterable[str], closing: str
) -> str:
    """A page without scripts of sections that are about no single run.

    backends: whose colours it shows.  closing: a sentence at its end.
    """
    return _page(
        "sections.html.j2",
        palette.places(backends),
        title=title,
        origin=origin,
        sections=sections,
        closing=closing,
        policy=policy([]),
        types={},
        numbers={},
        specs=[],
        files={},
    )


def colours_of(runs: Sequence[Evidence]) -> dict[str, int]:
    """The place of each backend's colour."""
    return palette.places(backend for run in runs for backend in run.backends)


def _page(template: str, colours: Mapping[str, int], **values: Any) -> str:
    environment = _environment()
    environment.globals |= {
        "chips": CHIPS,
        "colours": colours,
        "missing_charts": drawing.missing(),
        "inks": list(zip(palette.COLOURS, palette.DARK_COLOURS, strict=True)),
        "version": __version__,
        "most_drawn": MOST_DRAWN,
    }
    return environment.get_template(template).render(**values)


def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "identity": id,
        "svg": _svg,
        "drawn": _drawn,
        "percent": percent,
        "plain": "{:.7g}".format,
        "shown_groups": shown_groups,
        "name_of": name_of,
        "markup": Markup,
    }
    return environment


def _printable(value: Any) -> Any:
    """What a template shows, without characters that a reader's program obeys; markup of ours as it
    stands.
    """
    from markupsafe import Markup

    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _svg(chart: Chart, colours: Mapping[str, int]) -> "Markup":
    """A chart as a drawing."""
    return _drawn(chart.spec(colours), chart.caption)


def _drawn(spec: drawing.Specification, caption: str) -> "Markup":
    """What Vega drew, whose texts it has escaped."""
    from markupsafe import Markup

    return Markup(drawing.drawn(spec, caption))
