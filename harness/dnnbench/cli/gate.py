"""dnnbench gate: may this candidate pass? Screens every cell, confirms what looks slower,
fails for nothing else.
"""

from typing import TYPE_CHECKING, Any

import rich_click as click

from ..execution.gate_policy import Inconclusive
from ..execution.settings import Settings
from ..stats.split import FEWEST
from . import completing, exitcodes
from .configured import suite_options
from .options import Command, output_options
from .output import Output
from .revision_options import BUILD, GATED_PHASES, installing_options
from .types import Generations, Seconds, Share, Threshold
from .work_options import (
    BATCH_SIZES,
    DATA,
    DETAILS,
    DEVICE,
    DTYPE,
    RUN_LABEL,
    SEED,
    STORE,
    THREADS,
    WAIT,
)

if TYPE_CHECKING:
    from ..execution.gate_cells import Gate


@click.command("gate", cls=Command)
@suite_options
@click.option(
    "--backend",
    multiple=True,
    metavar="NAME[:MODE][@PYTHON],...",
    shell_complete=completing.arms,
    help="The base, then one candidate or more: torch,torch@new. With --git, what is measured "
    "of either revision.  [default with --git: what the project announces]",
)
@click.option(
    "--base",
    default="",
    shell_complete=completing.arm,
    help="The arm that the others are held against.  [default: the first]",
)
@click.option(
    "--git",
    default="",
    metavar="BASE..HEAD|BASE",
    help="Hold a revision of the project in this folder against another, each installed in an "
    "environment of its own; BASE...HEAD: from where the two parted; BASE alone: the working tree "
    "against it.",
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
    help="Slowdowns up to this much pass.",
)
@click.option(
    "--threshold",
    "thresholds",
    type=Threshold(),
    multiple=True,
    help="What passes of the cells that a pattern matches, in place of --fail-on; the first that "
    "matches counts. A cell is called WORKLOAD/BATCH PHASE: 'cnn_*=5%', '* infer=3%'.",
)
@click.option(
    "--must-see",
    type=Share(),
    help="A cell passes only if it finds a slowdown of this much, four times in five; else it is "
    "INCONCLUSIVE.  [default: the larger of 10% and three times --fail-on]",
)
@click.option(
    "--inconclusive",
    type=click.Choice([each.value for each in Inconclusive]),
    default=Inconclusive.FAIL.value,
    show_default=True,
    help="What becomes of a gate that nothing fails and that has such cells. fail: exit code 4; "
    "neutral: it says so, with exit code 0; pass: it passes.",
)
@click.option(
    "--figure",
    multiple=True,
    metavar="NAME,...",
    help="A figure of a call that fails a candidate where it grows: operators, flops, "
    "graph_breaks, compilations, peak_bytes, ... or a pattern of names. All are shown; none fails "
    "unless it is named.",
)
@click.option(
    "--fail-on-unexplained-improvement",
    is_flag=True,
    help="Fail a candidate that is faster for certain while its figures, its agreement with the "
    "reference and its versions are the base's.",
)
@click.option(
    "--confirm-again",
    is_flag=True,
    help="Where the screen leaves a quarter of --max-time or more, take a second confirmation, in "
    "that time, of what the first leaves undecided: each has half of alpha.",
)
@click.option(
    "--max-time",
    type=Seconds(),
    default=f"{Settings.max_time_s:g}s",
    show_default=True,
    help="Of measuring, in each stage.",
)
@click.option(
    "--generations",
    type=Generations(FEWEST),
    default="auto",
    show_default=True,
    help="Fresh sets of processes, in each stage. auto: "
    "as many as the noise of the first three asks for, six at least.",
)
@click.option(
    "--allow-unequal", is_flag=True, help="Judge arms that differ in what should be equal, too."
)
@click.option(
    "--no-check",
    is_flag=True,
    help="Do not check agreement first: a candidate may pass by computing less.",
)
@click.option(
    "--label",
    type=RUN_LABEL,
    help="A name for the screening run; the other's ends in -confirmation, a third's in "
    "-confirmation-2.",
)
@click.option(
    "--markdown", metavar="FILE", help="Write the outcome as Markdown too, for a pull request."
)
@click.option("--junit", metavar="FILE", help="Write JUnit XML too: a test case a cell.")
@click.option(
    "--annotations",
    metavar="FILE",
    help="Write GitHub's workflow commands too, ::error and ::warning: print them in a workflow.",
)
@WAIT
@DETAILS
@STORE
@output_options
@click.pass_obj
def command(
    output: Output,
    /,
    workloads: tuple[str, ...],
    store: str,
    details: bool,
    as_json: bool,
    label: str | None,
    wait: bool,
    no_check: bool,
    markdown: str | None,
    junit: str | None,
    annotations: str | None,
    backend: tuple[str, ...],
    git: str,
    requirements: tuple[str, ...],
    constraints: tuple[str, ...],
    build: str,
    **options: Any,
) -> int:
    """Fail if a candidate is slower than the base for certain.

    Screens every cell in one run, and confirms those that look slower in fresh processes:
    the chance that equal arms fail is at most 1 % for all cells together. The first line and the
    last, which a script may look for (`gate: PASS: ...`), say PASS
    (exit code 0), SLOWER (3, a slowdown confirmed), REGRESSED (3, a figure grew that --figure
    names), UNEXPLAINED (3), INCONCLUSIVE (4, a cell could not be judged, or
    not finely enough), or why an arm may not be judged at all: DIFFERS, COULD NOT RUN, NOT COMPARED
    (1). The findings are stored: dnnbench runs show says them again.

    \b
    Examples:
      dnnbench envs create new "torch==2.13.0"
      dnnbench gate --backend torch,torch@new --fail-on 5% --wait
      dnnbench gate mlp_digits --git main..HEAD --wait
      dnnbench gate mlp_digits --git HEAD --with "numpy==2.4.6"
      dnnbench gate mlp_digits --git main..HEAD --figure graph_breaks,operators
      dnnbench gate net.py:make_net --git main --backend torch
      dnnbench gate resnet50 --backend jax@before,jax@after --batch-size 1,32 --json > gate.json
    """
    from ..api.gate import Gated, gate_request, judged
    from ..api.gate_sides import Installing, gate_sides
    from ..plugins.catalog import files_of
    from ..report.annotations import annotations_of
    from ..report.junit import junit_of
    from ..report.writing import refuse_unwritable, write_report
    from .keeping import keeping
    from .progress import reporter

    kept = keeping(store, label, wait)
    for file in filter(None, (markdown, junit, annotations)):
        refuse_unwritable(file)
    with reporter(output) as report:
        added = Installing(requirements, constraints, build)
        sides = gate_sides(workloads, backend, options["base"], git, added, report)
        request = gate_request(sides, check=not no_check, **options)
        gate, place = judged(request, kept, report)
    code = print_gate(output, gate, place, details, as_json)
    if markdown:
        write_report(markdown, Gated(gate, kept.store).to_markdown())
    if junit:
        write_report(junit, junit_of(gate))
    if annotations:
        write_report(annotations, annotations_of(gate, files_of(workloads)))
    return code


def print_gate(output: Output, gate: "Gate", place: str, details: bool, as_json: bool) -> int:
    """The outcome on stdout, what remains on stderr, and the exit code.  place: of its runs."""
    from ..api.gate import Gated
    from ..report.gate_document import document
    from ..report.outcomes.gate import outcome_line
    from .run_text import print_outcome

    if as_json:
        output.json({**document(gate), **Gated(gate).spoken()})
    else:
        print_outcome(output, Gated(gate), details)
        output.text(outcome_line(gate))
    _conclude(output, gate, place)
    return _code(gate)


def _code(gate: "Gate") -> int:
    from ..execution.gate_cells import Answer

    is_neutral = gate.policy.inconclusive is Inconclusive.NEUTRAL
    codes = {
        Answer.PASS: exitcodes.OK,
        Answer.SLOWER: exitcodes.REGRESSION,
        Answer.REGRESSED: exitcodes.REGRESSION,
        Answer.UNEXPLAINED: exitcodes.REGRESSION,
        Answer.INCONCLUSIVE: exitcodes.OK if is_neutral else exitcodes.NOTHING_MEASURED,
        Answer.INTERRUPTED: exitcodes.INTERRUPTED,
    }
    return codes.get(gate.answer, exitcodes.FAILED)


def _conclude(output: Output, gate: "Gate", place: str) -> None:
    """On stderr: where the runs are, and every reason to fail."""
    from ..report.gate_words import UNEXPLAINED, grown, interrupted
    from ..report.quantity import percent

    words = ("screening run", "confirming run", "second confirming run")
    runs = ", ".join(map(" ".join, zip(words, gate.runs, strict=False)))
    output.note(f"{runs}, in {place}")
    if gate.interrupted:
        output.error(f"interrupted: {interrupted(gate)}")
    for key, reason in gate.failed.items():
        output.error(f"{key} failed: {reason}")
    for (arm, workload), unproven in gate.unproven.items():
        output.error(f"{arm} {workload} {unproven.sentence}")
    explained = {key.arm.name for key in gate.failed} | {arm for arm, _ in gate.unproven}
    for arm, reason in gate.unjudged.items():
        if arm not in explained:
            output.error(f"nothing was judged of {arm}: {reason}")
    if gate.blind and not (gate.unjudged or gate.passed):
        wanted = percent(gate.policy.must_see)
        output.error(
            f"{len(gate.blind)} cell(s) could not have seen a slowdown of {wanted}: give more "
            "--max-time, name fewer workloads or phases, or raise --must-see"
        )
    for cell in gate.regressed:
        output.error(f"{cell.key}: {grown(cell.regressions)}")
    for cell in gate.unexplained:
        output.error(f"{cell.key}: {UNEXPLAINED}")
    if gate.uncounted and not gate.passed:
        output.error(
            f"no figure was decided that --figure {', '.join(gate.uncounted)} names; the table of "
            "figures (--details) has all, and why one was not decided"
        )
    if gate.confirmed:
        output.error(f"{len(gate.confirmed)} cell(s) became slower for certain")
