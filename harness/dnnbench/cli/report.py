"""dnnbench report: one offline page for the browser."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import rich_click as click

from .options import Command, output_options
from .output import Output

if TYPE_CHECKING:
    from ..store.store import Store

STORE = "results/dnnbench.sqlite"
FILES = {"html": "results/report.html", "markdown": "results/report.md"}
"""What is written, by format."""


@click.command("report", cls=Command)
@click.argument("stores", nargs=-1, metavar="[STORE]...")
@click.option(
    "--run", "wanted", help="Id, label or revision of the run.  [default: the newest of each store]"
)
@click.option(
    "--by",
    type=click.Choice(["machine"]),
    help="Set the same cells of several machines side by side.",
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
@output_options
@click.pass_obj
def command(
    output: Output,
    stores: tuple[str, ...],
    wanted: str | None,
    by: str | None,
    form: str,
    out: str | None,
    as_json: bool,
) -> None:
    """Write one offline HTML page about recorded runs: the answer, verdicts, charts, tables.

    STORE is a SQLite file or the address of a PostgreSQL database; without one it
    is results/dnnbench.sqlite. The page loads nothing from the network and needs no script.
    With --by machine, the newest run of each machine in the stores is taken.
    With --json, what the page was written from is told on stdout.

    \b
    Examples:
      dnnbench report
      dnnbench report laptop.sqlite server.sqlite --by machine -o machines.html
    """
    from ..report.html import page_of
    from ..report.markdown import markdown_of
    from ..report.parts import gathered, parts_of
    from ..report.writing import write_report
    from ..store.store import open_store

    with ExitStack() as opened:
        chosen = []
        for place in stores or (STORE,):
            store = opened.enter_context(open_store(place, create=False))
            chosen += [(store, run_id) for run_id in runs_of(store, wanted, by)]
        places, run_ids = zip(*chosen, strict=True)
        evidence = gathered(places, run_ids, by)
        text = page_of(evidence, by) if form == "html" else markdown_of(parts_of(evidence, by))
        page = write_report(out or FILES[form], text)
        runs = [{"store": store.place, "run_id": run_id} for store, run_id in chosen]
    if as_json:
        output.json({"report": str(page), "runs": runs})
    else:
        output.text(str(page))
        output.note("about " + ", ".join(f"run {row['run_id']} of {row['store']}" for row in runs))


def runs_of(store: "Store", wanted: str | None, by: str | None) -> list[str]:
    """The run asked for; by machine, the newest of each machine in the store."""
    if by is None or wanted is not None:
        return [store.find_run(wanted or "latest")]
    newest: dict[str, str] = dict(store.runs()[["machine_id", "run_id"]].itertuples(index=False))
    return list(newest.values()) or [store.find_run("latest")]
