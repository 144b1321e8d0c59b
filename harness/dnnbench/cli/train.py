"""dnnbench train: train to the target on every backend, and see that they learn alike."""

from typing import TYPE_CHECKING

import rich_click as click

from . import exitcodes
from .options import Command, output_options
from .work_options import LABEL, STORE, threads_or_all, work_options

if TYPE_CHECKING:
    from ..execution.training import CurvesApart, Figures


@click.command("train", cls=Command)
@click.argument("workloads", nargs=-1)
@work_options
@click.option(
    "--epochs",
    type=click.IntRange(1, 1_000_000),
    help="Most epochs.  [default: the workload's limit]",
)
@click.option(
    "--save",
    metavar="FILE",
    help="Keep the first arm's weights (safetensors, with the spec's hash).",
)
@STORE
@LABEL
@output_options
@click.pass_obj
def command(output, workloads, epochs, save, store, label, as_json: bool, **options):
    """Train WORKLOADS until their target on the test set, or their limit of epochs.

    Every backend starts from the same weights and sees the same examples in the same order;
    the last, smaller batch counts. Seconds are those of training steps alone.
    Exit code 1 if an arm fails or misses the target.

    \b
    Examples:
      dnnbench train mlp_digits --backend all
      dnnbench train cnn_digits --backend torch --save cnn.safetensors
      dnnbench train my_network.toml --data my_images.npz
      dnnbench train net.py:make_net --backend torch,jax
    """
    from ..execution.request import make_plan
    from ..execution.training import train
    from .progress import reporter

    request = _request(workloads, epochs=epochs, **options)
    if save and len(request.workloads) != 1:
        raise click.UsageError("--save keeps the weights of one workload; name that one")
    results = []
    with reporter(output) as report:
        plan, datasets = make_plan(request, report)
        try:
            for workload in request.workloads:
                results.append(
                    (
                        workload,
                        train(
                            workload,
                            datasets[workload.name],
                            plan.arms,
                            request.settings.seed,
                            report,
                        ),
                    )
                )
                if save:
                    _save(output, save, workload, results[-1][1])
        except BaseException:
            _record(output, store, request, plan, label, results)
            raise
    if as_json:
        output.json({"courses": [_document(result) for _, group in results for result in group]})
    else:
        for workload, group in results:
            _print(output, workload, group)
    # Shown first: a store that refuses must not take with it what was learned.
    _record(output, store, request, plan, label, results)
    missed = [
        c
        for workload, group in results
        for c in group
        if c.failure or (workload.task.target is not None and not c.reached)
    ]
    return exitcodes.FAILED if missed else exitcodes.OK


def _request(workloads, epochs, backends, device, dtype, threads, seed, data):
    from ..execution.request import Request
    from ..execution.settings import Settings
    from ..plugins.catalog import workloads_of

    chosen = workloads_of(workloads)
    for workload in chosen:
        if workload.inference_only:
            raise click.UsageError(
                f"'{workload.name}' is a form for inference, which nobody trains; leave it out"
            )
    if epochs:
        chosen = tuple(
            w.model_copy(update={"task": w.task.model_copy(update={"epochs": epochs})})
            for w in chosen
        )
    settings = Settings(
        phases=(), dtype=dtype, threads=threads_or_all(threads), device=device, seed=seed
    )
    return Request(chosen, tuple(backends), settings, data=data)


def _save(output, path: str, workload, results) -> None:
    from pathlib import Path

    from ..execution.weights_file import save_weights

    learned = [result for result in results if result.weights]
    if learned:
        first, last = learned[0], learned[0].epochs[-1]
        facts = {
            "arm": first.arm,
            "dtype": first.dtype,
            "epochs": str(last.number),
            "test_loss": f"{last.test.test_loss:.6f}",
        }
        if last.test.accuracy is not None:
            facts["accuracy"] = f"{last.test.accuracy:.6f}"
        save_weights(Path(path), workload, first.weights, facts)
        output.note(f"the weights of {first.arm} are in {path}")


def _record(output, store: str, request, plan, label, results) -> None:
    """Whatever was learned goes into the store, interrupted or not."""
    from ..execution.request import open_run
    from ..store.patience import LIMIT_S, Patience
    from ..store.store import open_store

    if not any(result.epochs for _, group in results for result in group):
        return
    patience = Patience(LIMIT_S, output.note)
    with patience.outlast(lambda: open_store(store, patience=patience)) as opened:
        run_id = open_run(opened, request, plan, label)
        rows = [
            {"workload": c.workload, "arm": c.arm, "dtype": c.dtype, **epoch.to_json()}
            for _, group in results
            for c in group
            for epoch in c.epochs
        ]
        opened.add_epochs(run_id, rows)
        opened.finish_run(
            run_id, "complete" if len(results) == len(request.workloads) else "interrupted"
        )


def _document(result) -> dict:
    return {
        "arm": result.arm,
        "workload": result.workload,
        "dtype": result.dtype,
        "epochs": [epoch.to_json() for epoch in result.epochs],
        "reached": result.reached,
        "build_s": result.build_s,
        "first_call_s": result.first_call_s,
        "seconds": result.seconds,
        "failure": result.failure,
    }


def _print(output, workload, results) -> None:
    from ..execution.training import curves_apart
    from ..report.columns import column_table

    goal = (
        ""
        if workload.task.target is None
        else f", target {workload.task.metric} {workload.task.target:g}"
    )
    output.text(
        f"{workload.name}: {workload.task.optimizer.kind}, batch size {workload.batch_size}{goal}"
    )
    figures = ("epochs", "loss", *headings_of(workload), "steps s", "first step s")
    headings = ("arm", *(f">{figure}" for figure in figures), "ended")
    table = column_table(*headings, leave_out=("first step s", "wrong", "steps s"))
    for result in sorted(results, key=lambda c: (bool(c.failure), c.seconds)):
        table.add_row(*_row(workload, result))
    output.table(table)
    output.text("")
    output.table(_curves(results))
    if apart := curves_apart(results):
        output.text(f"{_apart_words(workload, apart)}\n")


def _apart_words(workload, apart: "CurvesApart") -> str:
    """How far the curves lie apart, in the figures that tell of the task's metric."""
    from math import isfinite

    common = f"over the {apart.epochs} epoch(s) that all arms have"
    if not isfinite(apart.loss) or not isfinite(apart.test_loss):
        return f"curves differ {common}: a loss is not finite"
    by_loss = f"{apart.loss:.1e} in loss"
    if workload.task.metric == "accuracy":
        return (
            f"curves lie apart by {by_loss} (relative) and {apart.wrong} test answer(s) at most, "
            f"{common}"
        )
    return (
        f"curves lie apart by {by_loss} and {apart.test_loss:.1e} in test loss "
        f"(relative) at most, {common}"
    )


def _row(workload, result) -> list[str]:
    if result.failure or not result.epochs:
        return [result.arm, *["-"] * (4 + len(headings_of(workload))), f"failed: {result.failure}"]
    last = result.epochs[-1]
    figures = [f"{last.loss:.4f}", *figures_of(workload, last.test)]
    ending = "target reached" if result.reached else "limit reached"
    return [
        result.arm,
        str(last.number),
        *figures,
        f"{result.seconds:.3f}",
        f"{result.first_call_s:.2f}",
        ending,
    ]


def headings_of(workload) -> tuple[str, ...]:
    """Which test figures tell of the task's metric."""
    return ("accuracy", "wrong") if workload.task.metric == "accuracy" else ("test loss",)


def figures_of(workload, figures: "Figures") -> list[str]:
    """Test figures as text, under `headings_of`."""
    if workload.task.metric == "accuracy":
        return [f"{figures.accuracy:.4f}", f"{figures.wrong}/{figures.n_test}"]
    return [f"{figures.test_loss:.4f}"]


def _curves(results):
    """Loss of every arm beside each other, an epoch a row.

    Long results are thinned to twenty rows.
    """
    from ..report.columns import column_table

    learned = [result for result in results if result.epochs]
    table = column_table("epoch", *(f">{result.arm}" for result in learned))
    longest = max((len(result.epochs) for result in learned), default=0)
    step = max(1, -(-longest // 20))
    for i in (
        *range(0, longest, step),
        *([longest - 1] if longest and (longest - 1) % step else []),
    ):
        cells = [f"{c.epochs[i].loss:.9f}" if i < len(c.epochs) else "" for c in learned]
        table.add_row(str(i + 1), *cells)
    return table
