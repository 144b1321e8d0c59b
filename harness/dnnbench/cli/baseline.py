"""dnnbench baseline: figures that a project keeps in git, and what a run changes of them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ..wording import counted
from . import completing, exitcodes
from .options import Command, Group, output_options
from .output import Output
from .work_options import DETAILS, STORE

if TYPE_CHECKING:
    from ..api.baseline import Held

RUN = click.argument("run", default="latest", shell_complete=completing.runs)
FOLDER = click.option(
    "--folder",
    default="baselines",
    show_default=True,
    metavar="PATH",
    help="Where the baselines are kept, a file for each class of machine; it belongs into git.",
)


@click.group("baseline", cls=Group)
def command() -> None:
    """Keep the figures of a run in git, and hold later runs against them.

    Gated: agreement, operations and bytes by the spec, sizes of weights and of optimizer state,
    compilations, and what `run --figures` counts the same in every generation. Times are a hint,
    in units of the control arm, and INCONCLUSIVE until ten runs of that class of machine tell
    their spread. Who wants time gated names a revision: dnnbench gate --git BASE..HEAD.

    \b
    Examples:
      dnnbench run mlp_digits --backend torch --figures --quick
      dnnbench baseline save
      dnnbench baseline check --json
      dnnbench baseline update --accept "torch 2.13 fuses the bias"
    """


@command.command("save", cls=Command)
@RUN
@FOLDER
@STORE
@output_options
@click.pass_obj
def save(output: Output, run: str, folder: str, store: str, as_json: bool) -> int:
    """Make the baseline of RUN's class of machine.

    RUN is an id (or its beginning), a label, a git revision, or `latest`.

    Example: dnnbench baseline save latest
    """
    from ..api.baseline import saved

    file, baseline = saved(run, Path(folder), store)
    if as_json:
        output.json({"file": str(file), **baseline.to_json()})
    else:
        output.text(f"{file}: {counted(len(baseline.cells), 'cell')} of {baseline.machine_class}")
        output.note("git add it: a baseline that is not in git holds nobody to anything")
    return exitcodes.OK


@command.command("check", cls=Command)
@RUN
@FOLDER
@DETAILS
@STORE
@output_options
@click.pass_obj
def check(output: Output, run: str, folder: str, details: bool, store: str, as_json: bool) -> int:
    """Hold RUN against the baseline of its class of machine.

    Exit code 1: something differs from the reference that agreed; 3: a figure grew or changed;
    4: a cell of the baseline was not measured.

    Example: dnnbench baseline check latest --details
    """
    from ..api.baseline import held
    from .run_text import print_outcome

    result = held(run, Path(folder), store)
    if as_json:
        output.json(_document(result))
    else:
        print_outcome(output, result, details)
    if any(row.outcome.is_change for row in result.rows):
        output.note('if that is meant: dnnbench baseline update --accept "why"')
    return _code(result)


@command.command("update", cls=Command)
@RUN
@FOLDER
@click.option("--accept", default="", metavar="REASON", help="Why the figures may change.")
@DETAILS
@STORE
@output_options
@click.pass_obj
def update(
    output: Output,
    run: str,
    folder: str,
    accept: str,
    details: bool,
    store: str,
    as_json: bool,
) -> int:
    """Print what RUN changes of its baseline, and write it.

    Times are added as they are; changed figures only with --accept, whose reason the file keeps.
    Exit code 3: figures changed, and nothing was written.

    Example: dnnbench baseline update latest --accept "a wider hidden layer"
    """
    from ..api.baseline import updated
    from .run_text import print_outcome

    result, is_written = updated(run, Path(folder), store, accept)
    if as_json:
        output.json({**_document(result), "written": is_written})
    else:
        print_outcome(output, result, details)
        output.text(f"{result.file}: {'written' if is_written else 'left as it was'}")
    if not is_written:
        output.error(f'{len(result.changes)} figure(s) would change: give --accept "why"')
    return exitcodes.OK if is_written else exitcodes.REGRESSION


@command.command("list", cls=Command)
@FOLDER
@output_options
@click.pass_obj
def list_baselines(output: Output, folder: str, as_json: bool) -> int:
    """Every baseline of the folder: its class of machine, its cells, why it was last changed.

    Example: dnnbench baseline list --json
    """
    from ..track.baseline_file import baselines

    every = baselines(Path(folder))
    if as_json:
        rows = [{"file": str(file), **baseline.to_json()} for file, baseline in every]
        output.json({"baselines": rows})
    for file, baseline in every if not as_json else ():
        last = f"; last: {baseline.accepted[-1].reason}" if baseline.accepted else ""
        cells = counted(len(baseline.cells), "cell")
        runs = counted(len(baseline.timed_runs), "run")
        output.text(f"{file}: {baseline.machine_class}: {cells}, times of {runs}{last}")
    if not every:
        output.note(f"there is none in {folder}; make one of a run: dnnbench baseline save")
    return exitcodes.OK


def _document(result: "Held") -> dict[str, object]:
    return {
        "run": result.run,
        "file": str(result.file),
        "passed": not result.failing,
        "figures": [asdict(row) for row in result.rows],
        **result.spoken(),
    }


def _code(result: "Held") -> int:
    from ..track.baseline_check import Outcome

    codes = {
        Outcome.DIFFERS: exitcodes.FAILED,
        Outcome.GREW: exitcodes.REGRESSION,
        Outcome.CHANGED: exitcodes.REGRESSION,
        Outcome.MISSING: exitcodes.NOTHING_MEASURED,
    }
    failing = [code for outcome, code in codes.items() if outcome in result.failing]
    return failing[0] if failing else exitcodes.OK
