"""dnnbench history: how every cell fared from run to run, and where it became slower or faster."""

from typing import TYPE_CHECKING

import rich_click as click

from ..execution.settings import Settings
from . import completing, exitcodes
from .options import Command, output_options
from .output import Output
from .revision_options import confirming_options
from .types import Moment, Seconds
from .work_options import DETAILS, STORE

if TYPE_CHECKING:
    from ..api.gate_sides import Installing
    from ..api.history import Trends
    from ..api.measuring import Keeping

UNITS = ("control", "base", "seconds")
"""`dnnbench.track.series.Unit`, without importing it."""


@click.command("history", cls=Command)
@click.argument("workloads", nargs=-1, shell_complete=completing.workloads)
@click.option("--since", type=Moment(), help="Leave out runs begun before it, in UTC.")
@click.option(
    "--machine",
    default="",
    metavar="NAME",
    help="Whose runs: its label, its id or the beginning of it.  [default: the newest run's]",
)
@click.option(
    "--unit",
    type=click.Choice(UNITS),
    help="What times are divided by: the run's control arm, its base, or nothing (of imported "
    "runs).  [default: control, or seconds where the newest run was imported]",
)
@click.option("--site", metavar="DIR", help="Write an index and a page for each workload.")
@click.option(
    "--confirm",
    is_flag=True,
    help="Measure both revisions of the newest slowdown afresh, in one run, by the gate's rule.",
)
@confirming_options
@click.option(
    "--max-time",
    type=Seconds(),
    default=f"{Settings.max_time_s:g}s",
    show_default=True,
    help="With --confirm: of measuring, in each stage.",
)
@click.option("--wait", is_flag=True, help="With --confirm: wait for another dnnbench to finish.")
@DETAILS
@STORE
@output_options
@click.pass_obj
def command(
    output: Output,
    workloads: tuple[str, ...],
    since: str | None,
    machine: str,
    unit: str | None,
    site: str | None,
    confirm: bool,
    requirements: tuple[str, ...],
    constraints: tuple[str, ...],
    max_time: float,
    wait: bool,
    details: bool,
    store: str,
    as_json: bool,
) -> int:
    """Show each cell's trend over the runs of one machine, and the change points in it.

    A point a run, in units of its run's control arm or base; of runs that `dnnbench import` brought
    in, seconds. Another version, kernel, control or specification breaks a series, and machines are
    never mixed. A change point is proposed by ruptures (pip install 'dnnbench[history]') and
    reported where equal runs would show one in at most 1 % of histories of 60 runs, all cells and
    nightly looks together. Its size is one after selection: --confirm measures both revisions of
    the newest slowdown in one run, as dnnbench gate --git does in the project of this folder. Exit
    codes: 3 a change point to slower that the newest run showed first, or one that --confirm
    confirmed; 4 no run to show.

    \b
    Examples:
      dnnbench history
      dnnbench history mlp_digits --since 60d --details
      dnnbench history --site public --store nightly.sqlite
      dnnbench history --confirm --wait
    """
    from ..api.history import history

    trends = history(workloads, machine=machine, since=since or "", unit=unit or "", store=store)
    if confirm:
        from ..api.gate_sides import Installing
        from .keeping import keeping

        added = Installing(requirements, constraints)
        return _confirm(output, trends, added, max_time, keeping(store, None, wait), as_json)
    pages = [] if site is None else trends.site(site)
    if as_json:
        from ..track.history_rows import document

        output.json({**document(trends.history), "pages": [*map(str, pages)], **trends.spoken()})
    else:
        _print(output, trends, details)
        for page in pages:
            output.text(str(page))
    return exitcodes.REGRESSION if trends.history.new_slowdowns else exitcodes.OK


def _print(output: Output, trends: "Trends", details: bool) -> None:
    from ..track.outcome import chance
    from .run_text import print_outcome

    print_outcome(output, trends, details)
    history = trends.history
    for note in (*history.notes, history.no_search or chance(history)):
        output.note(note)
    for change in history.new_slowdowns:
        output.error(f"{change.series.name}: slower since run {change.after.run.run_id}")


def _confirm(
    output: Output,
    trends: "Trends",
    added: "Installing",
    max_time_s: float,
    kept: "Keeping",
    as_json: bool,
) -> int:
    """added: what is installed beside each revision.  kept: where the gate's runs go."""
    from ..api.confirming import change_to_confirm, confirm
    from ..track.outcome import change_words
    from .gate import print_gate
    from .progress import reporter

    change = change_to_confirm(trends.history)
    output.note(f"to confirm: {change_words(trends.history, change)}")
    with reporter(output) as report:
        gate, place = confirm(change, added, max_time_s, kept, report)
    return print_gate(output, gate, place, True, as_json)
