"""What came of training, as tables in the terminal: results, curves beside each other,
how far these lie apart.
"""

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Union

from ..execution.training import CurvesApart, Figures, TrainingResult, curves_apart
from ..spec.workload import Workload
from .columns import column_table

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

MOST_ROWS = 20
"""Of curves: longer ones are thinned."""


def learning_tables(
    workload: Workload, results: Sequence[TrainingResult]
) -> list[Union["Table", "Text"]]:
    """Of one workload: what it is trained by, a row an arm, losses by epoch,
    and how far curves lie apart.
    """
    from rich.text import Text

    apart = curves_apart(results)
    parts: list[Table | Text] = [
        Text(_heading(workload)),
        _results(workload, results),
        Text(""),
        _curves(results),
    ]
    return [*parts, *([Text(f"{_apart_words(workload, apart)}\n")] if apart else [])]


def _heading(workload: Workload) -> str:
    task = workload.task
    goal = "" if task.target is None else f", target {task.metric} {task.target:g}"
    return f"{workload.name}: {task.optimizer.kind}, batch size {workload.batch_size}{goal}"


def _results(workload: Workload, results: Sequence[TrainingResult]) -> "Table":
    figures = ("epochs", "loss", *headings_of(workload), "steps s", "first step s")
    headings = ("arm", *(f">{figure}" for figure in figures), "ended")
    table = column_table(*headings, leave_out=("first step s", "wrong", "steps s"))
    for result in sorted(results, key=lambda one: (not one.epochs, one.seconds)):
        table.add_row(*_row(workload, result))
    return table


def _row(workload: Workload, result: TrainingResult) -> list[str]:
    if result.failure or not result.epochs:
        ended = f"unsupported: {result.unsupported}" if result.unsupported else "failed: "
        blank = ["-"] * (4 + len(headings_of(workload)))
        return [result.arm, *blank, ended + result.failure]
    last = result.epochs[-1]
    return [
        result.arm,
        str(last.number),
        f"{last.loss:.4f}",
        *figures_of(workload, last.test),
        f"{result.seconds:.3f}",
        f"{result.first_call_s:.2f}",
        "target reached" if result.reached else "limit reached",
    ]


def headings_of(workload: Workload) -> tuple[str, ...]:
    """Which test figures tell of the task's metric."""
    return ("accuracy", "wrong") if workload.task.metric == "accuracy" else ("test loss",)


def figures_of(workload: Workload, figures: Figures) -> list[str]:
    """Test figures as text, under `headings_of`."""
    if workload.task.metric == "accuracy":
        return [f"{figures.accuracy:.4f}", f"{figures.wrong}/{figures.n_test}"]
    return [f"{figures.test_loss:.4f}"]


def _apart_words(workload: Workload, apart: CurvesApart) -> str:
    """How far the curves lie apart, in the figures that tell of the task's metric."""
    common = f"over the {apart.epochs} epoch(s) that all arms have"
    if not isfinite(apart.loss) or not isfinite(apart.test_loss):
        return f"curves differ {common}: a loss is not finite"
    by_loss = f"curves lie apart by {apart.loss:.1e} in loss"
    if workload.task.metric == "accuracy":
        return f"{by_loss} (relative) and {apart.wrong} test answer(s) at most, {common}"
    return f"{by_loss} and {apart.test_loss:.1e} in test loss (relative) at most, {common}"


def _curves(results: Sequence[TrainingResult]) -> "Table":
    """Loss of every arm beside each other, an epoch a row."""
    learned = [result for result in results if result.epochs]
    table = column_table("epoch", *(f">{result.arm}" for result in learned))
    longest = max((len(result.epochs) for result in learned), default=0)
    step = max(1, -(-longest // MOST_ROWS))
    last = [longest - 1] if longest and (longest - 1) % step else []
    for epoch in (*range(0, longest, step), *last):
        table.add_row(str(epoch + 1), *(_loss(result, epoch) for result in learned))
    return table


def _loss(result: TrainingResult, epoch: int) -> str:
    return f"{result.epochs[epoch].loss:.9f}" if epoch < len(result.epochs) else ""
