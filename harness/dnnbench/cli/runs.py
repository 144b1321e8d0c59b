"""dnnbench runs: what a store holds, what a run says, and what it is called."""

import sys
from typing import Any

import rich_click as click

from . import completing
from .options import Command, Group, output_options
from .output import Output
from .work_options import DETAILS, RUN_LABEL, STORE

HEADINGS = ("run", "label", "measured", "status", "machine", "revision", "workloads")
LEAVE_OUT = ("workloads", "revision", "machine", "status")
SHORT_REVISION = 9


@click.group("runs", cls=Group)
def command() -> None:
    """List the recorded runs of a store, show one again, name or delete one.

    \b
    Examples:
      dnnbench runs list --json
      dnnbench runs show latest --details
      dnnbench runs label latest before-upgrade
      dnnbench runs delete 20260101-101502-aaaa
    """


@command.command("list", cls=Command)
@STORE
@output_options
@click.pass_obj
def list_runs(output: Output, store: str, as_json: bool) -> None:
    """Every run, the newest last: its id, label, date, machine, revision and workloads.

    Example: dnnbench runs list
    """
    from ..report.columns import column_table
    from ..store.frames import records
    from ..store.store import open_store

    with open_store(store, create=False) as opened:
        rows = [_row(row) for row in records(opened.runs())]
    if as_json:
        output.json({"runs": rows})
        return
    table = column_table(*HEADINGS, leave_out=LEAVE_OUT)
    for row in rows:
        what = ", ".join(row["workloads"]) or (row["imported"] and f"imported: {row['imported']}")
        table.add_row(*(row[name] or "" for name in HEADINGS[:-1]), what)
    output.table(table)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """What tells a run from others, by `HEADINGS`, and the tool that an imported one is from."""
    from ..execution.stored_settings import run_settings

    settings = row["settings"]
    workloads = [workload["name"] for workload in settings.get("workloads", ())]
    return {
        "run": row["run_id"],
        "label": row["label"],
        "measured": row["created"][:16].replace("T", " "),
        "status": row["status"],
        "machine": row["machine_label"] or row["machine_class"] or row["machine_id"][:8],
        "revision": row["revision"] and row["revision"][:SHORT_REVISION],
        "workloads": workloads,
        "imported": run_settings(settings).imported,
    }


@command.command("show", cls=Command)
@click.argument("run", default="latest", shell_complete=completing.runs)
@DETAILS
@STORE
@output_options
@click.pass_obj
def show(output: Output, run: str, details: bool, store: str, as_json: bool) -> None:
    """What a run said when it ended: the answer, with --details everything.

    RUN is an id or its beginning, a label, a revision, a day (2026-11-30) or the name of a machine,
    of which it is the newest run, or latest.

    \b
    Examples:
      dnnbench runs show
      dnnbench runs show nightly --details
    """
    from ..report.evidence import gather
    from ..store.store import open_store
    from .run_json import run_document
    from .run_text import print_run

    with open_store(store, create=False) as opened:
        run_id = opened.find_run(run)
        if as_json:
            output.json(run_document(opened, run_id))
        else:
            print_run(output, gather(opened, run_id), details)


@command.command("label", cls=Command)
@click.argument("run", shell_complete=completing.runs)
@click.argument("name", type=RUN_LABEL)
@STORE
@click.pass_obj
def label(output: Output, run: str, name: str, store: str) -> None:
    """Call RUN by NAME from now on, to find, show and compare it by.

    Example: dnnbench runs label latest before-upgrade
    """
    from ..store.store import open_store

    with open_store(store, create=False) as opened:
        run_id = opened.find_run(run)
        opened.label_run(run_id, name)
    output.note(f"run {run_id} is called {name} in {opened.place}")


@command.command("delete", cls=Command)
@click.argument("run", shell_complete=completing.runs)
@click.option("--yes", is_flag=True, help="Delete without asking.")
@STORE
@click.pass_obj
def delete(output: Output, run: str, yes: bool, store: str) -> None:
    """Take RUN out of the store, with everything that was measured in it; for good.

    RUN is an id or its beginning, a label, or a revision. Another store that it was merged into
    keeps it. Without --yes the terminal is asked.

    Example: dnnbench runs delete 20260101-101502-aaaa
    """
    from ..store.store import open_store

    with open_store(store, create=False) as opened:
        run_id = opened.find_run(run)
        if not yes:
            _ask(run_id, opened.place)
        opened.delete_run(run_id)
    output.note(f"run {run_id} is no longer in {opened.place}")


def _ask(run_id: str, place: str) -> None:
    """UsageError where nobody can answer, or the answer is no."""
    from ..errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(f"runs delete {run_id}: nobody to ask at this terminal; add --yes")
    if not click.confirm(f"delete run {run_id} from {place}?", err=True):
        raise UsageError(f"runs delete {run_id}: it stays in {place}")
