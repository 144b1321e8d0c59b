"""dnnbench run: check that all arms agree, time them, keep and report the result."""

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import rich_click as click
from click import get_current_context

from ..errors import DnnbenchError
from ..execution.settings import MOST_SINGLE_CALLS, Settings
from ..protocol.timing import Timing
from ..spec.phases import Phase
from ..wording import counted
from . import completing, exitcodes
from .configured import suite_options
from .options import Command, is_given, list_option, output_options
from .output import Output
from .types import Generations, Seconds, Share, Word, Words
from .work_options import BATCH_SIZES, DETAILS, LABEL, STORE, WAIT, work_options

if TYPE_CHECKING:
    from ..api.measuring import Measurement
    from ..api.recorded import Run
    from ..execution.plan import Plan
    from ..execution.reporter import Reporter
    from ..execution.request import Request

REPORT = "results/report.html"
NO_REPORT = "none"
BESIDE_RESUME = ("resume", "store", "report", "wait", "as_json", "details", "quiet", "verbose")
"""Names of the parameters that a resumed run heeds."""


WHAT = (
    *(
        "--suite",
        "--backend",
        "--device",
        "--dtype",
        "--threads",
        "--batch-size",
        "--phase",
        "--base",
    ),
    *(
        "--weights",
        "--data",
        "--memory",
        "--timing",
        "--cold-start",
        "--twin",
        "--single-calls",
        "--profile",
        "--figures",
        "--allow-unequal",
    ),
    *("--no-check", "--seed"),
)
HOW_LONG = (
    "--quick",
    "--max-time",
    "--generations",
    "--precision",
    "--find-batch",
    "--dry-run",
    "--wait",
)
WHERE_TO = (
    "--details",
    "--json",
    "--store",
    "--report",
    "--label",
    "--resume",
    "--quiet",
    "--verbose",
    "--help",
)
GROUPS = {"What": WHAT, "How long": HOW_LONG, "Where to": WHERE_TO}
"""Options by what people look for in `--help`."""


@click.command("run", cls=Command)
@click.rich_config(
    {"option_groups": {"*": [{"name": name, "options": list(of)} for name, of in GROUPS.items()]}}
)
@suite_options
@work_options
@BATCH_SIZES
@list_option(
    "--phase",
    type=Words(Phase),
    default="all",
    show_default=True,
    help="What to time.",
)
@click.option(
    "--base",
    default="",
    shell_complete=completing.arm,
    help="The arm that ratios refer to.  [default: torch, else the first]",
)
@click.option(
    "--precision",
    type=Share(),
    default=f"{Settings.precision:.0%}",
    show_default=True,
    help="Stop early, from the seventh generation on, once every interval is this narrow.",
)
@click.option(
    "--max-time",
    type=Seconds(),
    default=f"{Settings.max_time_s:g}s",
    show_default=True,
    help="Of measuring, for the whole run.",
)
@click.option(
    "--generations",
    type=Generations(1),
    default=Settings.generations,
    show_default=True,
    help="Fresh sets of processes. auto: three, then as many more, and as long, "
    "as their noise asks for.",
)
@click.option("--quick", is_flag=True, help="One short generation: a first look, never a verdict.")
@click.option(
    "--memory",
    type=click.Choice(["steady", "native"]),
    help="Allocator of every worker.  [default: steady where glibc is]",
)
@click.option(
    "--timing",
    type=Word(Timing),
    default=Settings.timing.value,
    show_default=True,
    help="latency: wait for each call before the next; throughput: "
    "hand over all calls of a visit, then wait.",
)
@click.option(
    "--cold-start",
    is_flag=True,
    help="Compile caches of its own, where a backend names them: "
    "the first generation finds none, the others its work.",
)
@click.option(
    "--weights",
    default="",
    metavar="FILE",
    help="Time inference with trained weights (from dnnbench train).",
)
@click.option(
    "--allow-unequal",
    is_flag=True,
    help="Rank arms that differ in what should be equal (the fairness audit).",
)
@click.option(
    "--twin",
    is_flag=True,
    help="Measure the base a second time: where its ratio to itself misses 1, no verdict holds.",
)
@click.option(
    "--single-calls",
    type=click.IntRange(0, MOST_SINGLE_CALLS),
    default=Settings.single_calls,
    metavar="N",
    help="Time N calls of each training step and inference one by one in every generation, for "
    "p50, p90 and p99; in addition to --max-time. p99 needs 1,000 in all.",
)
@click.option(
    "--profile",
    is_flag=True,
    help="Look into calls with the frameworks' own profilers, after the timed visits of the first "
    "generation: time by node of the network, and traces in profiles/RUN beside the store.",
)
@click.option(
    "--figures",
    is_flag=True,
    help="Count calls after the timed visits of the first six generations: operators, FLOPs, graph "
    "breaks, bytes, page faults, whatever each framework tells.",
)
@click.option(
    "--no-check",
    is_flag=True,
    help="Do not check agreement first; nothing is then known to be comparable.",
)
@click.option(
    "--find-batch",
    is_flag=True,
    help="Find the largest batch that fits in memory, for each arm, and stop: no time is taken.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be measured, and stop.")
@LABEL
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=completing.runs,
    help="Go on with an interrupted run, and take in what its store did not take: "
    "its id, its label, or latest.",
)
@WAIT
@DETAILS
@STORE
@click.option(
    "--report",
    default=REPORT,
    show_default=True,
    metavar="FILE|none",
    help="The page to write at the end; none: no page (`dnnbench report` writes one later).",
)
@output_options
@click.pass_obj
def command(
    output: Output,
    /,
    workloads: tuple[str, ...],
    store: str,
    report: str,
    as_json: bool,
    details: bool,
    resume: str | None,
    dry_run: bool,
    find_batch: bool,
    label: str | None,
    wait: bool,
    no_check: bool,
    **options: Any,
) -> int:
    """Check that all arms compute the same thing, then time training and inference.

    WORKLOADS are names from `dnnbench list workloads`, all[tiny] for all that have such a size,
    .toml/.json files, or net.py:NAME, a Model, a Workload or a function that makes one;
    without any, the small ones that the list marks with a star are measured.
    Ends by writing a page, results/report.html.

    \b
    Examples:
      dnnbench run --backend all
      dnnbench run mlp_digits --backend torch,torch:compile,jax --batch-size 1,64
      dnnbench run net.py:make_net --backend torch,jax
      dnnbench run cnn_digits --quick --json > figures.json
    """
    from ..api.measuring import go_on, measure
    from ..api.run import run_request
    from ..execution.arms import select
    from ..execution.request import make_plan
    from ..report.writing import refuse_unwritable
    from .busy import warn_if_busy
    from .keeping import keeping
    from .progress import reporter

    if resume:
        _refuse_other_options()
    kept = keeping(store, label, wait)
    if report != NO_REPORT and not (dry_run or find_batch):
        refuse_unwritable(report)
    with reporter(output) as progress:
        if resume:
            measurement = go_on(resume, kept, progress)
        else:
            request = run_request(workloads, check=not no_check, **options)
            if dry_run:
                _tell_plan(output, make_plan(request, progress)[0], as_json)
                return exitcodes.OK
            if find_batch:
                return _find_batches(output, request, progress, as_json)
            select(request.backends, request.settings)  # refuses before anybody is asked
            if not warn_if_busy(output):
                return exitcodes.INTERRUPTED
            measurement = measure(request, kept, progress)
    return _conclude(output, measurement, report, as_json, details)


def _find_batches(output: Output, request: "Request", progress: "Reporter", as_json: bool) -> int:
    """The largest batch of each arm, workload and purpose."""
    from dataclasses import asdict

    from ..execution.find_batch import find_batches
    from ..report.largest_batch import largest_batches
    from ..report.terminal import drawn

    largest = find_batches(request, progress)
    if as_json:
        output.json({"largest_batches": [asdict(one) for one in largest]})
    else:
        for part in drawn([largest_batches(largest)]):
            output.table(part)
    return exitcodes.OK if any(one.fits for one in largest) else exitcodes.NOTHING_MEASURED


def _refuse_other_options() -> None:
    """A run goes on as it was begun: what else is asked for would be ignored."""
    context = get_current_context()
    set_parameters = [
        parameter for parameter in context.command.params if is_given(context, parameter)
    ]
    others = [parameter for parameter in set_parameters if parameter.name not in BESIDE_RESUME]
    if others:
        names = ", ".join(parameter.human_readable_name for parameter in others)
        raise click.UsageError(
            f"--resume goes on as the run was begun, and takes no {names}; leave that out", context
        )


def _tell_plan(output: Output, plan: "Plan", as_json: bool) -> None:
    """What would be measured: arms, cases, cells and time."""
    from ..report.quantity import seconds

    rows = [row for row in plan.cells() if row["workload"]]
    columns = ("workload", "batch_size", "phase", "arm", "device", "dtype", "threads")
    cells = [dict(zip(columns, itemgetter(*columns)(row), strict=True)) for row in rows]
    settings = plan.settings
    if as_json:
        output.json(
            {
                "cells": cells,
                "base": plan.base,
                "skipped": dict(plan.skipped),
                "settings": settings.to_json(),
            }
        )
        return
    for number, arm in enumerate(plan.arms):
        heading = "" if number else "arms"
        base = "; the base" if arm.name == plan.base else ""
        options = f"{arm.device}, {arm.dtype}, {arm.threads} thread(s)"
        output.text(f"{heading:9} {arm.name}: {options}{base}")
    output.text(f"cases     {', '.join(case.name for case in plan.cases)} (workload/batch size)")
    output.text(f"phases    {', '.join(settings.phases)}")
    output.text(f"cells     {len(cells)}")
    output.text(f"visits    {seconds(settings.max_time_s)} {_generations(settings, len(cells))}")
    output.text("          the check, starts, warm-up and statistics come on top")


def _generations(settings: Settings, cells: int) -> str:
    from ..report.quantity import seconds

    if settings.generations is None:
        return "in six generations or more, as the noise of the first three asks"
    each_s = settings.max_time_s / settings.generations / cells
    share = f"shared by {counted(cells, 'cell')}: {seconds(each_s)} a cell in each"
    return f"in {counted(settings.generations, 'generation')}, {share}"


def _conclude(
    output: Output, measurement: "Measurement", report: str, as_json: bool, details: bool
) -> int:
    """The answer or JSON on stdout, the page, and the exit code."""
    from .run_text import print_run

    run, run_id = measurement.run, measurement.outcome.run_id
    if run is None:
        output.note(
            f"run {run_id} was interrupted before anything was measured; --resume {run_id} goes on"
        )
        return exitcodes.INTERRUPTED
    if as_json:
        output.json(_document(run))
    else:
        print_run(output, run.evidence, details)
    where = f"run {run_id} is in {run.store}"
    _write_page(output, run, report, where)
    if run.evidence.nothing_decided and as_json:
        output.note(run.evidence.nothing_decided)
    if measurement.outcome.interrupted:
        output.error(f"interrupted: what was measured is kept; --resume {run_id} goes on")
        return exitcodes.INTERRUPTED
    return exitcodes.FAILED if measurement.failed else exitcodes.OK


def _write_page(output: Output, run: "Run", report: str, where: str) -> None:
    """The page, if one is wanted; a page that fails leaves the reader where the run is."""
    if report == NO_REPORT:
        output.note(where)
        return
    try:
        run.report(report)
    except DnnbenchError:
        output.note(f"{where}; dnnbench report makes its page")
        raise
    output.note(f"{where}; the report is {report}")


def _document(run: "Run") -> dict[str, Any]:
    from ..store.store import open_store
    from .run_json import run_document

    with open_store(run.target, create=False) as opened:
        return run_document(opened, run.run_id)
