"""Training: who reached the target, a row an arm, curves beside each other."""

from collections.abc import Sequence
from math import isfinite

from ...agreement.status import Status
from ...execution.first_epoch import FirstEpoch
from ...execution.training import CurvesApart, TrainingResult, curves_apart
from ...spec.workload import Workload
from ...wording import counted
from ...wording import listed as first_of
from ..cells import arm_cell
from ..learning import figures_of, headings_of, metric_of, test_figure
from ..quantity import MISSING, seconds
from ..section import Cell, Column, Section, Table, Tone, table

MOST_EPOCHS = 20
"""Rows of curves: longer ones are thinned."""
COLUMNS = (
    Column("workload", once=True),
    Column("arm"),
    Column("epochs", number=True),
    Column("on the test set", number=True),
    Column("steps", number=True, spare=1),
    Column("ended", prose=True, least=12),
)
Trained = tuple[Workload, list[TrainingResult]]
"""A workload, and how each arm learned it."""


def training_sections(trained: Sequence[Trained]) -> list[Section]:
    """trained: in the order in which the workloads were trained."""
    rows = [_row(workload, result) for workload, results in trained for result in _ranked(results)]
    outcome = Section(
        id="training",
        title=_outcome(trained),
        tables=(table(COLUMNS, rows),) if rows else (),
        conclusions=tuple([*_judged(trained), *_apart(trained)]),
    )
    return [outcome, *(_details(*pair) for pair in trained)]


def _ranked(results: Sequence[TrainingResult]) -> list[TrainingResult]:
    """The quickest first; what did not learn last."""
    return sorted(results, key=lambda one: (not one.epochs, one.seconds))


def _outcome(trained: Sequence[Trained]) -> str:
    """How many trainings reached their target, and which did not."""
    every = [(workload, result) for workload, results in trained for result in results]
    able = [pair for pair in every if not pair[1].unsupported]
    if not trained:
        return "Nothing was trained."
    if not able:
        return f"No arm trains {first_of([workload.name for workload, _ in trained])}."
    [(first, _), *others] = trained
    trainings = counted(len(able), "training" if others else "arm")
    where = f"on {len(trained)} workloads" if others else f"on {first.name}"
    wrong = [pair for pair in able if _fell_short(*pair)]
    well = f"{len(able) - len(wrong)} of {trainings}"
    if all(workload.task.target is None for workload, _ in trained):
        done = f"{well} trained {where}, without a target"
    else:
        goal = "the target" if others else f"{metric_of(first)} {first.task.target:g}"
        done = f"{well} reached {goal} {where}"
    named = [f"{result.arm}{f' on {w.name}' if others else ''}" for w, result in wrong]
    return f"{done}; not {first_of(named)}." if wrong and len(wrong) < len(able) else f"{done}."


def _fell_short(workload: Workload, result: TrainingResult) -> bool:
    missed = workload.task.target is not None and not result.reached
    return bool(result.failure) or result.differs or missed


def _row(workload: Workload, result: TrainingResult) -> list[Cell]:
    place = [Cell(workload.name), _arm(result)]
    if result.failure or not result.epochs:
        return [*place, *[Cell(MISSING)] * 3, _ended(result)]
    last = result.epochs[-1]
    figures = (str(last.number), test_figure(workload, last.test), seconds(result.seconds))
    return [*place, *map(Cell, figures), _ended(result)]


def _ended(result: TrainingResult) -> Cell:
    if result.unsupported:
        return Cell(f"unsupported: {result.unsupported}", tone=Tone.QUIET)
    if result.failure or not result.epochs:
        return Cell(f"failed: {result.failure}", tone=Tone.BAD)
    if result.differs and result.first_epoch:
        return Cell(f"first epoch: {result.first_epoch.status}", tone=Tone.BAD)
    return Cell("target reached" if result.reached else "limit reached")


def _arm(result: TrainingResult) -> Cell:
    return arm_cell(result.arm, result.arm.partition(":")[0])


def _judged(trained: Sequence[Trained]) -> list[str]:
    """What the first epoch's losses of each workload came to, and of which steps."""
    sentences = []
    for workload, results in trained:
        learned = [result for result in results if result.epochs and not result.failure]
        if learned:
            sentences.append(f"{workload.name}: {_judged_words(learned)}")
    return sentences


def _judged_words(results: Sequence[TrainingResult]) -> str:
    judged = {result.arm: result.first_epoch for result in results if result.first_epoch}
    if not judged:
        return "no step's loss is held against the reference's, as three steps are too much work"
    parts = []
    agreeing = [one for one in judged.values() if one.status is Status.AGREES]
    if agreeing:
        arms = counted(len(agreeing), "arm")
        worst = max(one.comparison.ratio for one in agreeing)
        parts.append(
            f"the losses of {_steps_words(agreeing[0])} are the reference's in float64, "
            f"in {arms} (at most {worst:.2g} of what rounding allows)"
        )
    for arm, one in judged.items():
        if one.status is not Status.AGREES:
            reason = one.comparison.reason
            parts.append(f"{arm}: losses of the first epoch in float64: {one.status}: {reason}")
    return "; ".join(parts)


def _steps_words(judged: FirstEpoch) -> str:
    """Which steps; those that rounding decides are left out."""
    last = f"the last batch of {judged.last} among them"
    if judged.steps < judged.of:
        words = f"{judged.steps} of the first epoch's {judged.of} steps ({last}; all are much work)"
    else:
        words = f"all {judged.of} steps of the first epoch ({last})"
    words = f"{words} and of one more"
    left = judged.steps + 1 - judged.comparison.decided
    return f"{words}, but {left} that rounding decides," if left else words


def _apart(trained: Sequence[Trained]) -> list[str]:
    """How far the curves of each workload lie apart."""
    of_each = [(workload, curves_apart(results)) for workload, results in trained]
    return [f"{workload.name}: {_apart_words(workload, one)}" for workload, one in of_each if one]


def _apart_words(workload: Workload, apart: CurvesApart) -> str:
    """In the figures that tell of the task's metric."""
    common = f"over the {counted(apart.epochs, 'epoch')} that all arms have"
    if not isfinite(apart.loss) or not isfinite(apart.test_loss):
        return f"curves differ {common}: a loss is not finite"
    by_loss = f"curves lie apart by {apart.loss:.1e} in loss"
    if apart.steps:
        common += f"; the losses of the first {apart.steps} steps by {apart.step_loss:.1e}"
    if workload.task.metric == "accuracy":
        wrong = counted(apart.wrong, "test answer")
        return f"{by_loss} (relative) and {wrong} at most, {common}"
    return f"{by_loss} and {apart.test_loss:.1e} in test loss (relative) at most, {common}"


def _details(workload: Workload, results: Sequence[TrainingResult]) -> Section:
    """What it is trained by, every figure, losses by epoch."""
    task = workload.task
    goal = "" if task.target is None else f", target {task.metric} {task.target:g}"
    return Section(
        id=f"training-{workload.name}",
        title=f"{workload.name}: {task.optimizer.kind}, batch size {workload.batch_size}{goal}",
        tables=(_results(workload, results), _curves(results)),
    )


def _results(workload: Workload, results: Sequence[TrainingResult]) -> Table:
    columns = (
        Column("arm"),
        Column("epochs", number=True),
        Column("loss", number=True),
        *(Column(heading, number=True) for heading in headings_of(workload)),
        Column("steps s", number=True, spare=2),
        Column("first step s", number=True, spare=1),
        Column("ended", prose=True),
    )
    return table(columns, [_whole_row(workload, result) for result in _ranked(results)])


def _whole_row(workload: Workload, result: TrainingResult) -> list[Cell]:
    if result.failure or not result.epochs:
        blank = [Cell(MISSING)] * (4 + len(headings_of(workload)))
        return [_arm(result), *blank, _ended(result)]
    last = result.epochs[-1]
    figures = (
        str(last.number),
        f"{last.loss:.4f}",
        *figures_of(workload, last.test),
        f"{result.seconds:.3f}",
        f"{result.first_call_s:.2f}",
    )
    return [_arm(result), *map(Cell, figures), _ended(result)]


def _curves(results: Sequence[TrainingResult]) -> Table:
    """Loss of every arm beside each other, an epoch a row."""
    learned = [result for result in results if result.epochs]
    longest = max((len(result.epochs) for result in learned), default=0)
    step = max(1, -(-longest // MOST_EPOCHS))
    last = [longest - 1] if longest and (longest - 1) % step else []
    columns = [Column("epoch", number=True)]
    columns += [Column(result.arm, number=True) for result in learned]
    body = [
        [Cell(str(epoch + 1)), *(Cell(_loss(result, epoch)) for result in learned)]
        for epoch in (*range(0, longest, step), *last)
    ]
    return table(columns, body, title="Training loss by epoch")


def _loss(result: TrainingResult, epoch: int) -> str:
    return f"{result.epochs[epoch].loss:.9f}" if epoch < len(result.epochs) else ""
