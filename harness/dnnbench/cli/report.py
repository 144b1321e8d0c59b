"""dnnbench report: one offline page for the browser."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import rich_click as click

from ..errors import UsageError
from ..report.across.by import By
from . import completing
from .options import Command, output_options
from .output import Output
from .types import HourlyPrice, Word

if TYPE_CHECKING:
    from ..report.across.prices import Price
    from ..store.store import Store

STORE = "results/dnnbench.sqlite"
FILES = {"html": "results/report.html", "markdown": "results/report.md"}
"""What is written, by format."""


@click.command("report", cls=Command)
@click.argument("stores", nargs=-1, metavar="[STORE]...")
@click.option(
    "--run",
    "wanted",
    shell_complete=completing.runs,
    help="Id, label, revision or day of the run.  [default: the newest of each store]",
)
@click.option(
    "--by",
    type=Word(By),
    help="Set the same cells of several machines, versions or types side by side.",
)
@click.option(
    "--price",
    "prices",
    type=HourlyPrice(),
    multiple=True,
    help="What an hour of a machine costs, for examples per dollar: --price lab-3=1.23/h.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FILES)),
    default="html",
    show_default=True,
    help="html: a page for the browser; markdown: for a pull request, without charts.",
)
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    help="What to write.  [default: results/report.html, or results/report.md]",
)
@click.option("--static", is_flag=True, help="A page without scripts: nothing to explore, smaller.")
@click.option("--png", "pictures", metavar="DIR", help="Write each chart as a picture, too.")
@output_options
@click.pass_obj
def command(
    output: Output,
    stores: tuple[str, ...],
    wanted: str | None,
    by: By | None,
    prices: tuple["Price", ...],
    form: str,
    out: str | None,
    static: bool,
    pictures: str | None,
    as_json: bool,
) -> None:
    """Write one offline HTML page about recorded runs: the answer, verdicts, charts, tables.

    STORE is a SQLite file or the address of a PostgreSQL database; without one it
    is results/dnnbench.sqlite. The page loads nothing from the network and is read without
    scripts; with them its tables are sorted and filtered, cells opened, and any arm is the base.
    Markdown fits a pull request's 65,536 characters, and $GITHUB_STEP_SUMMARY.

    With --by machine, the newest run of each machine in the stores is set beside the first one's:
    how much faster each is on these workloads, and how workloads differ, is printed and stands
    first in the page. Earlier runs that differ in nothing but the day tell how far runs lie apart.
    --by version and --by dtype take the runs of the newest run's machine, or the environments and
    types of one run. A machine is named by its label (dnnbench machine label), else its hardware.

    \b
    Examples:
      dnnbench report
      dnnbench report laptop.sqlite server.sqlite --by machine -o machines.html
      dnnbench report a.sqlite b.sqlite --by machine --price a=0.40/h --price b=1.23/h
      dnnbench report --by dtype
      dnnbench report --format markdown -o "$GITHUB_STEP_SUMMARY"
    """
    from ..report.across.compared import side_by_side
    from ..report.document import document
    from ..report.html import colours_of, page_of
    from ..report.markdown import markdown_of
    from ..report.parts import gathered, parts_of
    from ..report.png import write_pngs
    from ..report.terminal import drawn
    from ..report.writing import write_report
    from ..store.store import open_store
    from ..track.run_history import with_history

    if prices and by is None:
        raise UsageError("report: --price belongs to --by machine, version or dtype; add one")
    with ExitStack() as opened:
        chosen = []
        for place in stores or (STORE,):
            store = opened.enter_context(open_store(place, create=False))
            chosen += [(store, run_id) for run_id in runs_of(store, wanted, by)]
        places, run_ids = zip(*chosen, strict=True)
        evidence = gathered(places, run_ids)
        if by is None:
            evidence = [
                with_history(run, store) for run, store in zip(evidence, places, strict=True)
            ]
        stores_of = [store.place for store in places]
        across = None if by is None else side_by_side(evidence, by, stores_of, prices)
        parts = parts_of(evidence, across)
        place = out or FILES[form]
        text = (
            page_of(evidence, parts, static=static, at=place)
            if form == "html"
            else markdown_of(parts)
        )
        page = write_report(place, text)
        pngs = [] if pictures is None else write_pngs(parts, pictures, colours_of(evidence))
        runs = [{"store": store.place, "run_id": run_id} for store, run_id in chosen]
    shared = () if across is None else parts[0].sections
    if as_json:
        output.json(
            {
                "report": str(page),
                "pictures": [*map(str, pngs)],
                "runs": runs,
                **(document(shared) if shared else {}),
            }
        )
        return
    for part in drawn(shared[:1]):
        output.table(part)
    for written in (page, *pngs):
        output.text(str(written))
    output.note("about " + ", ".join(f"run {row['run_id']} of {row['store']}" for row in runs))


def runs_of(store: "Store", wanted: str | None, by: By | None) -> list[str]:
    """The run asked for; side by side, those of each side."""
    from ..report.across.choosing import runs_of as runs_side_by_side

    if by is None:
        return [store.find_run(wanted or "latest")]
    return runs_side_by_side(store, by, wanted)
