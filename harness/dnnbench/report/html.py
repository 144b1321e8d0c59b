"""One page for the browser: offline, without a script, safe to send to anyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import StoreError, UsageError
from ..stats.estimates import STEPS
from ..store.engine import refuse_to_overwrite
from ..store.store import Store
from ..wording import printable
from . import charts, palette, quantity, words
from .evidence import Evidence, gather
from .pictures import Picture, caption_of, picture
from .run_view import RunView
from .side_by_side import MachineComparison, side_by_side
from .steps import difference_text

if TYPE_CHECKING:
    from jinja2 import Environment

BY = ("machine",)
FILTERS = {
    name: getattr(quantity, name)
    for name in (
        "digits",
        "scaled",
        "seconds",
        "milliseconds",
        "ratio",
        "interval",
        "percent",
        "throughput",
    )
}
CHIPS = {"FASTER": "▼", "SLOWER": "▲", "SAME": "=", "UNDECIDED": "?", words.NOT_JUDGED: "–"}


def render_report(
    stores: Sequence[Store], out: str | Path, *, runs: Sequence[str], by: str | None = None
) -> Path:
    """Write the page for runs, each a run_id of the store in its place.

    by: 'machine' sets the cells that the runs share side by side.  returns: the file written; its folders are
    made. Raises UsageError for another `by`, or for runs that have nothing to set side by side, StoreError
    where the file cannot be written.
    """
    if by is not None and by not in BY:
        raise UsageError(f"report: got by={by!r}, expected {' or '.join(BY)}")
    found = [gather(store, run_id) for store, run_id in zip(stores, runs, strict=True)]
    page = page_of(found, by)
    out = Path(out)
    try:
        refuse_to_overwrite(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"report: {out} cannot be written ({error.strerror}); name another file with -o"
        ) from error
    return out


def page_of(runs: Sequence[Evidence], by: str | None = None) -> str:
    """The text of the page."""
    colours = palette.places(backend for run in runs for backend in run.cells["backend"])
    comparison = side_by_side(runs) if by else None
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            version=__version__,
            title=_title(runs),
            missing_charts=charts.missing(),
            colours=colours,
            inks=list(zip(palette.COLOURS, palette.DARK_COLOURS, strict=True)),
            runs=[RunView(run, colours) for run in runs],
            comparison=comparison,
            comparison_charts=_machine_charts(comparison, colours)
            if comparison and not charts.missing()
            else [],
            theta=runs[0].measured.theta,
            step_names=list(zip(STEPS, charts.STEP_OPACITY, strict=True)),
            chips=CHIPS,
        )
    )


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
    environment.filters |= FILTERS | {
        "groupby_order": grouped,
        "unsteady": words.unsteady,
        "verdict_word": words.verdict_word,
        "difference": difference_text,
    }
    environment.tests["present"] = quantity.present
    environment.globals |= {"show_ms": quantity.milliseconds, "show_ratio": quantity.ratio}
    return environment


def _printable(value: Any) -> Any:
    """What a template shows, without characters that a reader's program obeys; markup of ours as it stands."""
    from markupsafe import Markup

    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _title(runs: Sequence[Evidence]) -> str:
    """The workloads, timed ones first."""
    timed = [workload for run in runs for workload, _ in run.cases]
    learned = [workload for run in runs for workload in run.epochs["workload"]]
    return words.listed(list(dict.fromkeys([*timed, *learned]))) or "nothing measured"


@dataclass(frozen=True)
class Group:
    """Rows that are alike in some fields, by whose values it is named."""

    name: str
    rows: list[Any]


def grouped(rows: Sequence[Any], *names: str) -> list[Group]:
    """Rows that are alike in the fields named, groups and rows in the order they come in.

    rows: dictionaries or dataclasses, whose fields may have any type.
    """
    members_by_key: dict[tuple[object, ...], list[Any]] = {}
    for row in rows:
        key = tuple(row[name] if isinstance(row, Mapping) else getattr(row, name) for name in names)
        members_by_key.setdefault(key, []).append(row)
    return [Group(", ".join(map(str, key)), members) for key, members in members_by_key.items()]


def _machine_charts(comparison: MachineComparison, colours: Mapping[str, int]) -> list[Picture]:
    points = comparison.points()
    return [
        picture(caption_of(case), charts.machines, rows, comparison.machines, colours)
        for case, rows in points.items()
    ]
