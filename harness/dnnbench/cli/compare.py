"""dnnbench compare: did anything become slower between two recorded runs?"""

from typing import TYPE_CHECKING, Any

import rich_click as click

from . import completing, exitcodes
from .options import Command, output_options
from .output import Output
from .types import Share
from .work_options import DETAILS, STORE

if TYPE_CHECKING:
    from ..api.compare import Comparison


@click.command("compare", cls=Command)
@click.argument("base", shell_complete=completing.runs)
@click.argument("new", shell_complete=completing.runs)
@click.option(
    "--fail-on",
    type=Share(),
    help="Exit 3 where a cell is slower for certain by more than this: 5%.",
)
@DETAILS
@STORE
@output_options
@click.pass_obj
def command(
    output: Output,
    base: str,
    new: str,
    fail_on: float | None,
    details: bool,
    store: str,
    as_json: bool,
) -> int:
    """Compare run NEW with run BASE, cell by cell.

    BASE and NEW are ids (or their beginnings), labels given with `run --label`, git revisions,
    or `latest`. Each time is taken in units of its run's control arm; the interval is Welch's
    over generations, so both runs need two or more. Where five other runs of this machine
    are in the store, it holds how far runs lie apart as well, which two runs cannot tell.
    Only runs of one machine are judged. The worst changes are shown, with --details every cell.
    Exit codes: 3 regression, 4 nothing to judge.

    \b
    Examples:
      dnnbench compare baseline latest --fail-on 5%
      dnnbench compare 20260101 20260102 --json
    """
    from ..api.compare import compared
    from .run_text import print_outcome

    comparison = compared(store, base, new, fail_on)
    if as_json:
        output.json(_document(comparison))
    else:
        print_outcome(output, comparison, details)
    return _conclude(output, comparison)


def _document(comparison: "Comparison") -> dict[str, Any]:
    from ..store.frames import records

    result = comparison.result
    return {
        "base_run": result.base_run,
        "new_run": result.new_run,
        "fail_on": comparison.fail_on,
        "cells": records(result.cells),
        "only_base": result.only_base,
        "only_new": result.only_new,
        "regressed": result.regressed,
        "error": result.error,
        "between_runs_sd": result.spread.sd if result.spread else None,
        "unusable": result.unusable,
        **comparison.spoken(),
    }


def _conclude(output: Output, comparison: "Comparison") -> int:
    """What the tables leave open, and the exit code."""
    for note in comparison.notes:
        output.note(note)
    if comparison.unusable:
        output.error(f"nothing to judge: {comparison.unusable}")
        return exitcodes.NOTHING_MEASURED
    if comparison.regressed:
        slower = int(comparison.cells["regression"].sum())
        output.error(f"{slower} cell(s) became slower for certain")
        return exitcodes.REGRESSION
    return exitcodes.OK
