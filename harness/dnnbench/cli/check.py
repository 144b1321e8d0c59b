"""dnnbench check: numerical agreement alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from ..protocol.dtypes import DType
from ..spec.phases import Phase
from ..wording import counted
from . import exitcodes
from .configured import suite_options
from .options import Command, list_option, output_options
from .output import Output
from .types import Words
from .work_options import DETAILS, work_options_but_dtype

if TYPE_CHECKING:
    from ..api.check import Check
    from ..execution.agreement_rows import AgreementRow


@click.command("check", cls=Command)
@suite_options
@work_options_but_dtype
@list_option(
    "--dtype",
    type=Words(DType),
    default="float64,float32",
    show_default=True,
    help="Element types to check in, as a list.",
)
@list_option(
    "--phase",
    type=Words(Phase),
    default="all",
    show_default=True,
    help="What to check, each phase with those that it contains; infer: inference alone.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Find the first node, loss or optimizer that diverges, and the known fault behind it.",
)
@DETAILS
@output_options
@click.pass_obj
def command(
    output: Output,
    /,
    workloads: tuple[str, ...],
    explain: bool,
    details: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Check that all arms agree with the reference, in each --dtype.

    Outputs, loss, every gradient, weights after 1 and 5 steps (12 too of a tiny network, 1 and 2
    of a large one), optimizer slots, running statistics and what a step returns are held against
    the NumPy reference in float64. The table shows the worst error of each arm over what honest
    rounding explains, and --details that of each kind of tensor; the last lines say what was
    compared of each workload, and what was left out. Of an arm that does not offer every phase
    the others are checked, and the reason is told. What does not agree is told apart: it differs,
    it could not run, or it could not be compared (the reference is not finite either).
    Exit code 1 for any of these, 4 if nothing could be checked.

    \b
    Examples:
      dnnbench check --backend all:all
      dnnbench check 'all[tiny]' --backend all
      dnnbench check 'resnet50[tiny]' --backend all:all --dtype float64,float32,bfloat16 --explain
      dnnbench check my_network.toml --backend jax --json
      dnnbench check net.py:make_net --backend torch
    """
    from ..api.check import check_request, checked, refuse_nothing
    from .progress import reporter
    from .run_text import print_outcome

    request, phases, dtypes = check_request(workloads, **options)
    with reporter(output) as report:
        check = checked(request, phases, dtypes, explain, report)
    if as_json:
        document = {
            "agreement": [row.to_json() for row in check.rows],
            "agree": check.agree,
            "explanations": [explanation.to_json() for explanation in check.explanations],
            "skipped": dict(check.skipped),
            "compared": [one.to_json() for one in check.compared],
            **check.spoken(),
        }
        output.json(document)
    else:
        print_outcome(output, check, details)
        _notes(output, check)
    refuse_nothing(check)
    return exitcodes.OK if check.agree else exitcodes.FAILED


def _notes(output: Output, check: "Check") -> None:
    """On stderr: why an arm does not pass, what was not judged, and how much was compared."""
    from ..agreement.status import Status
    from ..execution.agreement_rows import undetermined

    rows = check.rows
    for row in check.failed:
        output.error(_failure(row))
    unsupported = [row for row in rows if row.status is Status.UNSUPPORTED]
    for reason in dict.fromkeys(row.agreement.reason for row in unsupported):
        output.note(f"unsupported: {reason}")
    for sentence in undetermined(rows):
        output.note(sentence)
    output.note(_counts(rows))


def _failure(row: "AgreementRow") -> str:
    """A line for a row that does not pass: its status, what of, why, and by how much where
    that is a number.
    """
    from ..report.agreement_words import times
    from ..report.quantity import MISSING

    agreement = row.agreement
    where = f"{agreement.kind}: {agreement.tensor}: " if agreement.tensor else ""
    place = f"{row.arm} {row.workload} {row.dtype}"
    line = f"{place}: {row.status}: {where}{agreement.reason}"
    ratio = times(row)
    return line if ratio == MISSING else f"{line} ({ratio} times the allowance)"


def _counts(rows: "Sequence[AgreementRow]") -> str:
    from collections import Counter

    from ..agreement.status import Status

    count = Counter(row.status for row in rows)
    compared = count[Status.AGREES] + count[Status.DIFFERS]
    arms = len({row.arm for row in rows})
    parts = [f"{arms} arm(s)", counted(compared, "comparison"), f"{count[Status.DIFFERS]} differ"]
    for status in (Status.COULD_NOT_RUN, Status.NOT_COMPARED):
        if count[status]:
            parts.append(f"{count[status]} {status}")
    return ", ".join(parts)
