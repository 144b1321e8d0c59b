"""dnnbench check: numerical agreement alone."""

import rich_click as click

from . import exitcodes
from .options import output_options
from .work_options import threads_or_all, work_options, workloads_named


@click.command("check")
@click.argument("workloads", nargs=-1)
@work_options
@output_options
@click.pass_obj
def command(output, workloads, backends, device, dtype, threads, seed, data, as_json: bool):
    """Check that all arms agree with the reference, in float64 and in --dtype.

    Outputs, loss, every gradient, weights after 1 and 5 steps, optimizer slots and running statistics are held against
    the NumPy reference in float64. Exit code 1 if anything disagrees.

    \b
    Examples:
      dnnbench check --backend all:all
      dnnbench check my_network.toml --backend jax --json
    """
    from ..run.agreement import check_agreement, exam_of
    from ..run.crew import worker_cpus
    from ..run.request import Request, make_plan
    from ..run.settings import Settings
    from .progress import reporter

    settings = Settings(dtype=dtype, threads=threads_or_all(threads), device=device, seed=seed)
    request = Request(workloads_named(workloads), tuple(backends), settings, data=data)
    with reporter(output) as report:
        plan, datasets = make_plan(request, report)
        exams = [exam_of(workload, datasets[workload.name], seed) for workload in request.workloads]
        dtypes = list(dict.fromkeys(("float64", dtype)))
        rows = check_agreement(plan.lanes, exams, len(worker_cpus(settings.threads)), dtypes, report)
    failed = [row for row in rows if not row["ok"]]
    if as_json:
        output.json({"agreement": rows, "agree": not failed, "skipped": dict(plan.skipped)})
    else:
        _print(output, rows, failed)
    return exitcodes.FAILED if failed else exitcodes.OK


def _print(output, rows: list[dict], failed: list[dict]) -> None:
    from ..report.terminal import agreement_table

    output.table(agreement_table(rows))
    for row in failed:
        where = f"{row['arm']} {row['workload']} {row['dtype']}"
        output.error(
            f"{where}: {row['kind']}: {row['tensor']}: {row['reason']} ({row['ratio']:.3g} times the allowance)"
        )
    arms = len({row["arm"] for row in rows})
    output.note(f"{arms} arm(s), {len(rows)} comparisons, {len(failed)} beyond their allowance")
