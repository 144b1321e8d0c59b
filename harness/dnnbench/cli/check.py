"""dnnbench check: numerical agreement alone."""

import rich_click as click

from ..protocol.dtypes import DType
from . import exitcodes
from .options import Command, list_option, output_options
from .types import Words
from .work_options import threads_or_all, work_options, workloads_named


@click.command("check", cls=Command)
@click.argument("workloads", nargs=-1)
@work_options(dtype=False)
@list_option(
    "--dtype",
    "dtypes",
    type=Words(DType),
    default="float64,float32",
    show_default=True,
    help="Element types to check in, as a list.",
)
@click.option(
    "--explain", is_flag=True, help="Find the first node, loss or optimizer that diverges, and the known fault behind it."
)
@output_options
@click.pass_obj
def command(output, workloads, backends, device, dtypes, threads, seed, data, explain: bool, as_json: bool):
    """Check that all arms agree with the reference, in each --dtype.

    Outputs, loss, every gradient, weights after 1 and 5 steps, optimizer slots and running statistics are held against
    the NumPy reference in float64. The matrix shows the worst error of each kind of tensor over what honest rounding explains.
    What does not agree is told apart: it differs, it could not run, or it could not be compared (the reference is not
    finite either). Exit code 1 for any of these, 4 if nothing could be checked.

    \b
    Examples:
      dnnbench check --backend all:all
      dnnbench check 'all[tiny]' --backend all
      dnnbench check 'resnet50[tiny]' --backend all:all --dtype float64,float32,bfloat16 --explain
      dnnbench check my_network.toml --backend jax --json
    """
    from ..execution.checking import check_agreement, check_request
    from ..execution.pool import worker_cpus
    from ..execution.request import Request, make_plan
    from ..execution.settings import Settings
    from .progress import reporter

    settings = Settings(dtype=dtypes[-1], threads=threads_or_all(threads), device=device, seed=seed)
    request = Request(workloads_named(workloads), tuple(backends), settings, data=data)
    with reporter(output) as report:
        plan, datasets = make_plan(request, report)
        requests = [check_request(workload, datasets[workload.name], seed) for workload in request.workloads]
        rows = check_agreement(plan.arms, requests, len(worker_cpus(settings.threads)), dtypes, report)
        explanations = _explanations(plan.arms, requests, rows, report) if explain else []
    failed = [row for row in rows if not row["ok"]]
    if as_json:
        told = {"agreement": rows, "agree": not failed, "explanations": explanations, "skipped": dict(plan.skipped)}
        output.json(told)
    else:
        _print(output, rows, failed, explanations)
    _refuse_nothing(rows)
    return exitcodes.FAILED if failed else exitcodes.OK


def _explanations(arms, requests, rows: list[dict], report) -> list[dict]:
    """Only this imports the diagnosis."""
    from ..execution.explain import explain_all

    return explain_all(arms, requests, rows, report)


def _refuse_nothing(rows: list[dict]) -> None:
    from ..agreement.status import Status
    from ..errors import NothingMeasured

    if all(row["status"] == Status.UNSUPPORTED for row in rows):
        raise NothingMeasured("nothing could be checked: " + "; ".join(sorted({row["reason"] for row in rows})))


def _print(output, rows: list[dict], failed: list[dict], explanations: list[dict]) -> None:
    from ..agreement.status import Status
    from ..execution.checking import undetermined
    from ..report.agreement_tables import agreement_matrix, agreement_table

    output.table(agreement_matrix(rows))
    output.text("")
    output.table(agreement_table(rows))
    for row in failed:
        output.error(_failure(row))
    for found in explanations:
        where = f"{found['arm']} {found['workload']} {found['dtype']}"
        output.text(f"{where}: {found.get('sentence') or found['error']}")
    for reason in dict.fromkeys(row["reason"] for row in rows if row["status"] == Status.UNSUPPORTED):
        output.note(f"unsupported: {reason}")
    for sentence in undetermined(rows):
        output.note(sentence)
    output.note(_counts(rows))


def _failure(row: dict) -> str:
    """A line for a row that does not pass: its status, what of, why, and by how much where that is a number."""
    from ..report.agreement_tables import times
    from ..report.quantity import MISSING

    line = f"{row['arm']} {row['workload']} {row['dtype']}: {row['status']}: "
    line += f"{row['kind']}: {row['tensor']}: {row['reason']}" if row["tensor"] else row["reason"]
    return line if times(row) == MISSING else f"{line} ({times(row)} times the allowance)"


def _counts(rows: list[dict]) -> str:
    from collections import Counter

    from ..agreement.status import Status

    count = Counter(row["status"] for row in rows)
    compared = count[Status.AGREES] + count[Status.DIFFERS]
    told = [f"{len({row['arm'] for row in rows})} arm(s)", f"{compared} comparisons", f"{count[Status.DIFFERS]} differ"]
    others = (Status.COULD_NOT_RUN, Status.NOT_COMPARED)
    return ", ".join([*told, *(f"{count[status]} {status}" for status in others if count[status])])
