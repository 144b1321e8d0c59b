"""dnnbench import: what other tools recorded, as runs of a store."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from ..errors import DataError
from ..wording import counted
from .options import Command, output_options
from .output import Output
from .work_options import STORE

if TYPE_CHECKING:
    from ..store.formats.importing import ReadFile


@click.command("import", cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@STORE
@output_options
@click.pass_obj
def command(output: Output, files: tuple[str, ...], store: str, as_json: bool) -> None:
    """Bring what pytest-benchmark or asv recorded into a store, so that an old history is kept.

    FILE is pytest-benchmark's JSON (--benchmark-json, or a file of .benchmarks), a file of asv's
    results, or a folder of either. Each file becomes a run of its own date and commit; one that the
    store holds already adds nothing. A benchmark's name stands where a workload's does. It is one
    process: a time without an interval, and never a verdict against what dnnbench measured.
    dnnbench history shows them, in seconds.

    \b
    Examples:
      dnnbench import .benchmarks
      dnnbench import .asv/results --store results/dnnbench.sqlite
    """
    from ..store.formats.foreign import add_foreign
    from ..store.formats.importing import read_all
    from ..store.store import open_store

    outcomes = list(read_all(files))
    faults = [str(outcome) for outcome in outcomes if isinstance(outcome, DataError)]
    read = [outcome for outcome in outcomes if not isinstance(outcome, DataError)]
    if read:
        with open_store(store) as opened:
            rows = [_row(each, add_foreign(opened, each.run)) for each in read]
            place = opened.place
        if as_json:
            output.json({"store": place, "runs": rows, "faults": faults})
        else:
            output.text(_sentence(rows, place))
    if faults:
        raise DataError("\n".join(faults))


def _row(read: "ReadFile", added: bool) -> dict[str, Any]:
    run = read.run
    return {
        "file": str(read.path),
        "tool": run.tool,
        "run_id": run.run_id,
        "revision": run.revision,
        "benchmarks": len(run.benchmarks),
        "left_out": dict(run.left_out),
        "added": added,
    }


def _sentence(rows: list[dict[str, Any]], place: str) -> str:
    added = [row for row in rows if row["added"]]
    there, left_out = len(rows) - len(added), sum(len(row["left_out"]) for row in added)
    benchmarks = sum(row["benchmarks"] for row in added)
    runs = counted(len(added), "run")
    parts = [f"{runs} with {counted(benchmarks, 'benchmark')} added to {place}"]
    parts += [f"{there} there already"] if there else []
    parts += [f"{counted(left_out, 'benchmark')} left out, which hold no time"] if left_out else []
    return ", ".join(parts)
