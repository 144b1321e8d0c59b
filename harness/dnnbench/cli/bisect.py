"""dnnbench bisect: which commit, or release of a package, made it slower, wrong or larger."""

from typing import TYPE_CHECKING, Any

import rich_click as click

from ..execution.settings import Settings
from ..stats.split import FEWEST
from . import completing, exitcodes
from .configured import suite_options
from .options import Command, output_options
from .output import Output
from .revision_options import BUILD, GATED_PHASES, installing_options
from .types import Generations, Seconds, Share
from .work_options import (
    BATCH_SIZES,
    DATA,
    DEVICE,
    DTYPE,
    RUN_LABEL,
    SEED,
    STORE,
    THREADS,
    WAIT,
)

if TYPE_CHECKING:
    from ..revisions.bisection import Bisection

FIGURES = ("time", "agreement", "memory", "kernels")


@click.command("bisect", cls=Command)
@suite_options
@click.option("--good", required=True, metavar="REV", help="Where it was as it should be.")
@click.option("--bad", required=True, metavar="REV", help="Where it no longer is.")
@click.option(
    "--package",
    default="",
    metavar="NAME",
    help="REV is a release of this package in pip's index, not a commit of the project in this "
    "folder.",
)
@click.option(
    "--by",
    type=click.Choice(FIGURES),
    default="time",
    show_default=True,
    help="The figure whose step is looked for: seconds of a call, agreement with the reference, "
    "peak of memory, operators of a call.",
)
@click.option(
    "--backend",
    multiple=True,
    metavar="NAME[:MODE],...",
    shell_complete=completing.arms,
    help="What is measured of each revision.  [default: what the project announces; with "
    "--package the backends that require it]",
)
@installing_options
@BUILD
@DEVICE
@DTYPE
@THREADS
@SEED
@DATA
@BATCH_SIZES
@GATED_PHASES
@click.option(
    "--fail-on",
    type=Share(),
    default=f"{Settings.theta:.0%}",
    show_default=True,
    help="The ends, and the revision that is named, must differ by more than this.",
)
@click.option(
    "--max-time",
    type=Seconds(),
    default=f"{Settings.max_time_s:g}s",
    show_default=True,
    help="Of measuring, in each stage of the ends; a generation of a step takes as long as one "
    "of theirs.",
)
@click.option(
    "--generations",
    type=Generations(FEWEST),
    default="auto",
    show_default=True,
    help="Fresh sets of processes for the ends and for the confirmation. A step takes 4, 8, 16 or "
    "32, as many as it needs.",
)
@click.option(
    "--no-check",
    is_flag=True,
    help="Do not check agreement: a revision may be fast because it computes something else.",
)
@click.option("--label", type=RUN_LABEL, help="A name for the runs of the bisection.")
@click.option("--markdown", metavar="FILE", help="Write the outcome as Markdown too.")
@WAIT
@STORE
@output_options
@click.pass_obj
def command(
    output: Output,
    /,
    workloads: tuple[str, ...],
    by: str,
    store: str,
    as_json: bool,
    label: str | None,
    wait: bool,
    no_check: bool,
    markdown: str | None,
    **options: Any,
) -> int:
    """Find the revision after --good, up to --bad, since which something is slower for certain.

    The ends must differ by the rule of `gate` first. Then good end, bad end and a revision between
    them are measured together, and the revision goes to the side of the geometric middle on which
    it lies for certain; the chance that a walk goes wrong anywhere is at most 1 %. The revision
    that is reached is confirmed against the one before it in fresh processes. What cannot be
    installed is skipped. After an interruption the same command goes on. Exit code 0: named; 4:
    nothing named for certain, and why; 1: an end that cannot be installed.

    \b
    Examples:
      dnnbench bisect mlp_digits --good v1.2 --bad HEAD --wait
      dnnbench bisect mlp_digits --good HEAD~20 --bad HEAD --by agreement
      dnnbench bisect cnn_digits --package jax --good 0.9.2 --bad 0.10.2 --phase train_step
    """
    from ..api.bisect import Bisected, bisected
    from ..report.outcomes.bisect import bisect_line_of
    from ..report.writing import refuse_unwritable, write_report
    from ..revisions.bisection import By
    from .keeping import keeping
    from .progress import reporter
    from .run_text import print_outcome

    kept = keeping(store, label, wait)
    if markdown:
        refuse_unwritable(markdown)
    with reporter(output) as report:
        bisection = bisected(
            workloads,
            by=By(by),
            keeping=kept,
            report=report,
            check=not no_check,
            **options,
        )
    result = Bisected(bisection)
    if as_json:
        output.json({**bisection.to_json(), **result.spoken()})
    else:
        print_outcome(output, result, details=False)
        output.text(bisect_line_of(bisection))
    output.note(f"its runs are in {store}, its walk in {bisection.state_file}")
    if markdown:
        write_report(markdown, result.to_markdown())
    return _code(bisection)


def _code(bisection: "Bisection") -> int:
    from ..revisions.bisection import BisectAnswer

    codes = {BisectAnswer.NAMED: exitcodes.OK, BisectAnswer.INTERRUPTED: exitcodes.INTERRUPTED}
    return codes.get(bisection.answer, exitcodes.NOTHING_MEASURED)
