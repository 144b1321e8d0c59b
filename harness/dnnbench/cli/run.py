"""dnnbench run: check that all arms agree, time them, keep and report the result."""

from collections.abc import Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import rich_click as click
from click import get_current_context

from ..execution.settings import Settings
from ..protocol.timing import Timing
from ..spec.phases import Phase
from . import exitcodes
from .options import Command, is_given, list_option, output_options
from .output import Output
from .types import Generations, Numbers, Seconds, Share, Word, Words
from .work_options import LABEL, STORE, threads_or_all, work_options

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..execution.execute import Outcome
    from ..execution.plan import Plan
    from ..execution.reporter import Reporter
    from ..execution.request import Request
    from ..store.store import Store

REPORT = "results/report.html"
BESIDE_RESUME = ("resume", "store", "wait", "as_json", "quiet", "verbose")
"""Names of the parameters that a resumed run heeds."""


@click.command("run", cls=Command)
@click.argument("workloads", nargs=-1)
@work_options
@list_option(
    "-b",
    "--batch-size",
    "batch_sizes",
    type=Numbers(),
    help="Examples a step, as a list.  [default: the workload's own]",
)
@list_option(
    "--phase",
    "phases",
    type=Words(Phase),
    default="all",
    show_default=True,
    help="What to time.",
)
@click.option(
    "--base", default="", help="The arm that ratios refer to.  [default: torch, else the first]"
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
    "--no-check",
    is_flag=True,
    help="Do not check agreement first; nothing is then known to be comparable.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be measured, and stop.")
@LABEL
@click.option(
    "--resume",
    metavar="RUN",
    help="Go on with an interrupted run, and take in what its store did not take: "
    "its id, its label, or latest.",
)
@click.option("--wait", is_flag=True, help="Wait for another dnnbench on this machine to finish.")
@STORE
@output_options
@click.pass_obj
def command(
    output: Output,
    /,
    workloads: tuple[str, ...],
    store: str,
    as_json: bool,
    resume: str | None,
    dry_run: bool,
    label: str | None,
    wait: bool,
    **options: Any,
) -> int:
    """Check that all arms compute the same thing, then time training and inference.

    WORKLOADS are names from `dnnbench list workloads`, all[tiny] for all that have such a size,
    .toml/.json files, or net.py:NAME, a Model, a Workload or a function that makes one;
    without any, the small ones that the list marks with a star are measured.
    Ends by writing results/report.html.

    \b
    Examples:
      dnnbench run --backend all
      dnnbench run mlp_digits --backend torch,torch:compile,jax --batch-size 1,64
      dnnbench run net.py:make_net --backend torch,jax
      dnnbench run cnn_digits --quick --json > figures.json
    """
    from ..execution.request import Request, make_plan
    from ..host.lock import machine_lock
    from ..store.patience import LIMIT_S, Patience
    from ..store.store import open_store
    from .progress import reporter

    if resume:
        _refuse_other_options()
    wait_s = -1 if wait else 0
    with reporter(output) as report:
        patience = Patience(LIMIT_S, report.note)
        if resume:
            # The lock comes first: a run that it refuses leaves no store behind.
            with (
                machine_lock(wait_s=wait_s),
                open_store(store, create=False, patience=patience) as opened,
            ):
                run_id = opened.find_run(resume)
                _take_in(opened, run_id, report)
                request = Request.from_json(opened.runs(run_id)["settings"].iloc[0])
                plan, datasets = make_plan(request, report)
                opened.resume_run(run_id)
                outcome = _execute(plan, datasets, opened, run_id, report)
        else:
            request = _request(workloads, **options)
            plan, datasets = make_plan(request, report)
            if dry_run:
                _tell_plan(output, plan, as_json)
                return exitcodes.OK
            with (
                machine_lock(wait_s=wait_s),
                open_store(store, patience=patience) as opened,
            ):
                run_id = _open(opened, request, plan, label)
                outcome = _execute(plan, datasets, opened, run_id, report)
    return _conclude(output, store, outcome, as_json)


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


def _request(
    workloads: tuple[str, ...],
    backends: tuple[str, ...],
    base: str,
    batch_sizes: tuple[int, ...],
    weights: str,
    data: str,
    quick: bool,
    **options: Any,
) -> "Request":
    from ..execution.request import Request
    from ..plugins.catalog import workloads_of

    networks, settings = workloads_of(workloads), _settings(**options)
    settings = settings.quick() if quick else settings
    return Request(networks, tuple(backends), settings, batch_sizes or (), base, weights, data)


def _settings(
    threads: int | None, max_time: float, memory: str | None, no_check: bool, **options: Any
) -> Settings:
    """From options of the command; the others are called as the settings are."""
    from ..execution.settings import allocator

    return Settings(
        threads=threads_or_all(threads),
        max_time_s=max_time,
        memory=memory or allocator(),
        check=not no_check,
        **options,
    )


def _open(store: "Store", request: "Request", plan: "Plan", label: str | None) -> str:
    from ..execution.request import open_run

    return open_run(store, request, plan, label)


def _take_in(store: "Store", run_id: str, report: "Reporter") -> None:
    """What the store did not take when it was measured."""
    from ..execution.execute import aside_folders
    from ..store.aside import take_in

    for number in take_in(store, run_id, aside_folders(store)):
        report.note(f"generation {number + 1}, which had been put aside, is in the store now")


def _execute(
    plan: "Plan", datasets: "Mapping[str, Dataset]", store: "Store", run_id: str, report: "Reporter"
) -> "Outcome":
    from ..execution.execute import Execution

    return Execution(plan, datasets, store, run_id, report).run()


def _tell_plan(output: Output, plan: "Plan", as_json: bool) -> None:
    """What would be measured: arms, cases, cells and time."""
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
    output.text(
        f"arms      {', '.join(arm.name for arm in plan.arms)} on {plan.arms[0].device}; "
        f"base {plan.base}"
    )
    output.text(f"cases     {', '.join(case.name for case in plan.cases)} (workload/batch size)")
    output.text(f"phases    {', '.join(settings.phases)}")
    output.text(f"cells     {len(cells)}")
    output.text(f"visits    {settings.max_time_s:g} s {_generations(settings, len(plan.cases))}")


def _generations(settings: Settings, cases: int) -> str:
    if settings.generations is None:
        return "in six generations or more, as the noise of the first three asks"
    each_s = settings.max_time_s / settings.generations / cases
    return f"in {settings.generations} generation(s), {each_s:.1f} s a case in each"


def _conclude(output: Output, store: str, outcome: "Outcome", as_json: bool) -> int:
    """Tables or JSON on stdout, the page, and the exit code."""
    from pathlib import Path

    from ..execution.execute import measured_anything, refuse_nothing
    from ..execution.stored_settings import run_settings
    from ..report.builders import sections_of
    from ..report.evidence import gather
    from ..report.html import render_report
    from ..report.terminal import drawn
    from ..store.patience import LIMIT_S, Patience
    from ..store.store import open_store
    from .run_json import run_document

    patience = Patience(LIMIT_S, output.note)
    with patience.outlast(lambda: open_store(store, create=False, patience=patience)) as opened:
        skipped = run_settings(opened.runs(outcome.run_id)["settings"].iloc[0]).skipped.values()
        if outcome.interrupted and not measured_anything(opened, outcome.run_id):
            output.note(
                f"run {outcome.run_id} was interrupted before anything was measured; "
                f"--resume {outcome.run_id} goes on"
            )
            return exitcodes.INTERRUPTED
        refuse_nothing(outcome, opened, list(skipped))
        evidence = gather(opened, outcome.run_id)
        if as_json:
            output.json(run_document(opened, outcome.run_id))
        else:
            for part in drawn(sections_of(evidence)):
                output.table(part)
        render_report([opened], Path(REPORT), runs=[outcome.run_id])
    output.note(f"run {outcome.run_id} is in {opened.place}; the report is {REPORT}")
    if evidence.nothing_decided:
        output.note(evidence.nothing_decided)
    if outcome.interrupted:
        output.error(f"interrupted: what was measured is kept; --resume {outcome.run_id} goes on")
        return exitcodes.INTERRUPTED
    return exitcodes.FAILED if outcome.failed or outcome.unproven else exitcodes.OK
