"""dnnbench train: train to the target on every backend, and see that they learn alike."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from ..protocol.dtypes import DType
from . import exitcodes
from .options import Command, output_options
from .output import Output
from .work_options import LABEL, STORE, threads_or_all, work_options

if TYPE_CHECKING:
    from rich.table import Table

    from ..execution.plan import Plan
    from ..execution.request import Request
    from ..execution.training import CurvesApart, Figures, TrainingResult
    from ..spec.workload import Workload

    Results = list[tuple[Workload, list[TrainingResult]]]


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
def command(
    output: Output,
    /,
    workloads: tuple[str, ...],
    epochs: int | None,
    save: str | None,
    store: str,
    label: str | None,
    as_json: bool,
    **options: Any,
) -> int:
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
    results: Results = []
    with reporter(output) as report:
        plan, datasets = make_plan(request, report)
        try:
            for workload in request.workloads:
                dataset, seed = datasets[workload.name], request.settings.seed
                group = train(workload, dataset, plan.arms, seed, report)
                results.append((workload, group))
                if save:
                    _save(output, save, workload, group)
        except BaseException:
            _record(output, store, request, plan, label, results)
            raise
    if as_json:
        output.json({"courses": [_document(result) for result in _each(results)]})
    else:
        for workload, group in results:
            _print(output, workload, group)
    # Shown first: a store that refuses must not take with it what was learned.
    _record(output, store, request, plan, label, results)
    missed = any(_misses(workload, group) for workload, group in results)
    return exitcodes.FAILED if missed else exitcodes.OK


def _each(results: "Results") -> "Iterator[TrainingResult]":
    for _, group in results:
        yield from group


def _misses(workload: "Workload", group: "Sequence[TrainingResult]") -> bool:
    """Whether an arm failed, or ended without the target."""
    has_target = workload.task.target is not None
    return any(result.failure or (has_target and not result.reached) for result in group)


def _request(
    workloads: tuple[str, ...],
    epochs: int | None,
    backends: tuple[str, ...],
    device: str,
    dtype: DType,
    threads: int | None,
    seed: int,
    data: str,
) -> "Request":
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


def _save(
    output: Output, path: str, workload: "Workload", results: "Sequence[TrainingResult]"
) -> None:
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


def _record(
    output: Output,
    store: str,
    request: "Request",
    plan: "Plan",
    label: str | None,
    results: "Results",
) -> None:
    """Whatever was learned goes into the store, interrupted or not."""
    from ..execution.request import open_run
    from ..store.patience import LIMIT_S, Patience
    from ..store.store import open_store

    if not any(result.epochs for result in _each(results)):
        return
    patience = Patience(LIMIT_S, output.note)
    with patience.outlast(lambda: open_store(store, patience=patience)) as opened:
        run_id = open_run(opened, request, plan, label)
        rows: list[dict[str, Any]] = []
        for result in _each(results):
            key = {"workload": result.workload, "arm": result.arm, "dtype": result.dtype}
            rows += [key | epoch.to_json() for epoch in result.epochs]
        opened.add_epochs(run_id, rows)
        complete = len(results) == len(request.workloads)
        opened.finish_run(run_id, "complete" if complete else "interrupted")


def _document(result: "TrainingResult") -> dict[str, Any]:
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


def _print(output: Output, workload: "Workload", results: "Sequence[TrainingResult]") -> None:
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


def _apart_words(workload: "Workload", apart: "CurvesApart") -> str:
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


def _row(workload: "Workload", result: "TrainingResult") -> list[str]:
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


def headings_of(workload: "Workload") -> tuple[str, ...]:
    """Which test figures tell of the task's metric."""
    return ("accuracy", "wrong") if workload.task.metric == "accuracy" else ("test loss",)


def figures_of(workload: "Workload", figures: "Figures") -> list[str]:
    """Test figures as text, under `headings_of`."""
    if workload.task.metric == "accuracy":
        return [f"{figures.accuracy:.4f}", f"{figures.wrong}/{figures.n_test}"]
    return [f"{figures.test_loss:.4f}"]


def _curves(results: "Sequence[TrainingResult]") -> "Table":
    """Loss of every arm beside each other, an epoch a row.

    Long results are thinned to twenty rows.
    """
    from ..report.columns import column_table

    learned = [result for result in results if result.epochs]
    table = column_table("epoch", *(f">{result.arm}" for result in learned))
    longest = max((len(result.epochs) for result in learned), default=0)
    step = max(1, -(-longest // 20))
    shown = {*range(0, longest, step), *range(longest)[-1:]}
    for i in sorted(shown):
        cells = [f"{c.epochs[i].loss:.9f}" if i < len(c.epochs) else "" for c in learned]
        table.add_row(str(i + 1), *cells)
    return table
