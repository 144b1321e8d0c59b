"""dnnbench runs: what a store holds, and what a recorded run says."""

from typing import Any

import rich_click as click

from .options import Command, Group, output_options
from .output import Output
from .work_options import DETAILS, STORE

HEADINGS = ("run", "label", "measured", "status", "machine", "revision", "workloads")
LEAVE_OUT = ("workloads", "revision", "machine", "status")
SHORT_REVISION = 9


@click.group("runs", cls=Group)
def command() -> None:
    """List the recorded runs of a store, and show one again.

    \b
    Examples:
      dnnbench runs list --json
      dnnbench runs show latest --details
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
        table.add_row(*(row[name] or "" for name in HEADINGS[:-1]), ", ".join(row["workloads"]))
    output.table(table)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """What tells a run from others, by `HEADINGS`."""
    workloads = [workload["name"] for workload in row["settings"].get("workloads", ())]
    return {
        "run": row["run_id"],
        "label": row["label"],
        "measured": row["created"][:16].replace("T", " "),
        "status": row["status"],
        "machine": row["machine_label"] or row["machine_class"] or row["machine_id"][:8],
        "revision": row["revision"] and row["revision"][:SHORT_REVISION],
        "workloads": workloads,
    }


@command.command("show", cls=Command)
@click.argument("run", default="latest")
@DETAILS
@STORE
@output_options
@click.pass_obj
def show(output: Output, run: str, details: bool, store: str, as_json: bool) -> None:
    """What a run said when it ended: the answer, with --details everything.

    RUN is an id or its beginning, a label, a revision, or latest.

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
