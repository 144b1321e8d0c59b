"""dnnbench compare: did anything become slower between two recorded runs?"""

from typing import TYPE_CHECKING, Any

import rich_click as click

from . import exitcodes
from .options import Command, output_options
from .output import Output
from .types import Share
from .work_options import STORE

if TYPE_CHECKING:
    from ..track.compare import RunComparison


@click.command("compare", cls=Command)
@click.argument("base")
@click.argument("new")
@click.option(
    "--fail-on",
    type=Share(),
    help="Exit 3 where a cell is slower for certain by more than this: 5%.",
)
@STORE
@output_options
@click.pass_obj
def command(
    output: Output, base: str, new: str, fail_on: float | None, store: str, as_json: bool
) -> int:
    """Compare run NEW with run BASE, cell by cell.

    BASE and NEW are ids (or their beginnings), labels given with `run --label`, git revisions,
    or `latest`. Each time is taken in units of its run's control arm; the interval is Welch's
    over generations, so both runs need two or more. Where five other runs of this machine
    are in the store, it holds how far runs lie apart as well, which two runs cannot tell.
    Only runs of one machine are judged. Exit codes: 3 regression, 4 nothing to judge.

    \b
    Examples:
      dnnbench compare baseline latest --fail-on 5%
      dnnbench compare 20260101 20260102 --json
    """
    from ..report.changes import changes_table
    from ..store.frames import records
    from ..store.store import open_store
    from ..track.compare import compare

    with open_store(store, create=False) as opened:
        comparison = compare(opened, opened.find_run(base), opened.find_run(new), fail_on)
    if as_json:
        output.json(_document(comparison, fail_on, records(comparison.cells)))
    elif len(comparison.cells):
        output.table(changes_table(comparison.cells))
    return _tell(output, comparison)


def _document(
    comparison: "RunComparison", fail_on: float | None, cells: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "base_run": comparison.base_run,
        "new_run": comparison.new_run,
        "fail_on": fail_on,
        "cells": cells,
        "only_base": comparison.only_base,
        "only_new": comparison.only_new,
        "regressed": comparison.regressed,
        "error": comparison.error,
        "between_runs_sd": comparison.spread.sd if comparison.spread else None,
        "unusable": comparison.unusable,
    }


def _tell(output: Output, comparison: "RunComparison") -> int:
    """What the tables leave open, and the exit code."""
    for run, cells in (
        (comparison.base_run, comparison.only_base),
        (comparison.new_run, comparison.only_new),
    ):
        for cell in cells:
            output.note(f"only in {run}: {cell}")
    if comparison.cells["ratio_low"].notna().any():
        output.note(comparison.error)
    if comparison.unusable:
        output.error(f"nothing to judge: {comparison.unusable}")
        return exitcodes.NOTHING_MEASURED
    if comparison.regressed:
        output.error(
            f"{int(comparison.cells['regression'].sum())} cell(s) became slower for certain"
        )
        return exitcodes.REGRESSION
    return exitcodes.OK
