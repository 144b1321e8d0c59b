"""Sections as one page for the browser: offline, without a script, safe to send to anyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import StoreError, UsageError
from ..store.engine import refuse_to_overwrite
from ..store.store import Store
from ..wording import printable
from . import charts, palette, words
from .builders import sections_of
from .evidence import Evidence, gather
from .machines_section import machines_section
from .quantity import percent
from .section import Chart, Section, Table

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

BY = ("machine",)
CHIPS = {"FASTER": "▼", "SLOWER": "▲", "SAME": "=", "UNDECIDED": "?", words.NOT_JUDGED: "–"}


@dataclass(frozen=True)
class Part:
    """Sections of one run, or of all together, under a name."""

    name: str
    prefix: str
    """Before the id of each of its sections, which together name its place in the page."""
    sections: tuple[Section, ...]
    heading: bool
    """Whether its name stands above it."""


def render_report(
    stores: Sequence[Store], out: str | Path, *, runs: Sequence[str], by: str | None = None
) -> Path:
    """Write the page for runs, each a run_id of the store in its place.

    by: 'machine' sets the cells that the runs share side by side.  returns: the file written; its
    folders are made. Raises UsageError for another `by`, or for runs that have nothing to set side
    by side, StoreError where the file cannot be written.
    """
    return write_report(out, page_of(gathered(stores, runs, by), by))


def gathered(stores: Sequence[Store], runs: Sequence[str], by: str | None = None) -> list[Evidence]:
    """Each run of the store in its place; UsageError for a `by` that there is not."""
    if by is not None and by not in BY:
        raise UsageError(f"report: got by={by!r}, expected {' or '.join(BY)}")
    return [gather(store, run_id) for store, run_id in zip(stores, runs, strict=True)]


def write_report(out: str | Path, text: str) -> Path:
    """Into a file whose folders are made; StoreError where it cannot be written."""
    out = Path(out)
    try:
        refuse_to_overwrite(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"report: {out} cannot be written ({error.strerror}); name another file with -o"
        ) from error
    return out


def page_of(runs: Sequence[Evidence], by: str | None = None) -> str:
    """The text of the page."""
    parts = parts_of(runs, by)
    return _page("report.html.j2", _colours(runs), parts=parts, title=_title(runs), runs=runs)


def section_html(section: Section, colours: Mapping[str, int]) -> str:
    """One section alone, as a notebook shows it.  colours: from `palette.places`."""
    return _page("alone.html.j2", colours, section=section)


def parts_of(runs: Sequence[Evidence], by: str | None = None) -> list[Part]:
    """What the runs share, where that is asked for, then each run."""
    several = len(runs) > 1
    parts = [
        Part(
            name=f"Run on {run.machine_name}",
            prefix=f"{number}-",
            sections=tuple(sections_of(run)),
            heading=several,
        )
        for number, run in enumerate(runs, 1)
    ]
    if by is None:
        return parts
    return [Part("Machines side by side", "", (machines_section(runs),), False), *parts]


def _colours(runs: Sequence[Evidence]) -> dict[str, int]:
    return palette.places(backend for run in runs for backend in run.backends)


def _page(template: str, colours: Mapping[str, int], **values: Any) -> str:
    environment = _environment()
    environment.globals |= {
        "chips": CHIPS,
        "colours": colours,
        "missing_charts": charts.missing(),
        "inks": list(zip(palette.COLOURS, palette.DARK_COLOURS, strict=True)),
        "version": __version__,
    }
    return environment.get_template(template).render(**values)


def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"svg": _svg, "panels": _panels, "percent": percent}
    return environment


def _printable(value: Any) -> Any:
    """What a template shows, without characters that a reader's program obeys; markup of ours as it
    stands.
    """
    from markupsafe import Markup

    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _svg(chart: Chart, colours: Mapping[str, int]) -> "Markup":
    """What Vega drew, whose texts it has escaped."""
    from markupsafe import Markup

    return Markup(chart.svg(colours))


def _panels(table: Table) -> list[tuple[str, int]]:
    """(name, columns) of what stands side by side in a table, '' for what is in no panel; empty
    without panels.
    """
    widths = [
        (name, len(list(columns))) for name, columns in groupby(table.columns, lambda c: c.panel)
    ]
    return widths if any(name for name, _ in widths) else []


def _title(runs: Sequence[Evidence]) -> str:
    """The workloads, timed ones first."""
    timed = [case.workload for run in runs for case in run.cases]
    learned = [workload for run in runs for workload in run.epochs["workload"]]
    return words.listed(list(dict.fromkeys([*timed, *learned]))) or "nothing measured"
