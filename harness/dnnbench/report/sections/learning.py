"""Learning: curves of training, the last epoch of each arm, and the target it had."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...store.frames import records
from ...wording import counted
from ..builders import Builder
from ..cells import arm_cell, figure
from ..evidence import Evidence
from ..pictures import CurveChart, CurvePoint, drawable
from ..quantity import digits, seconds
from ..section import Cell, Column, Facet, Section, table

COLUMNS = (
    Column("workload", once=True),
    Column("type"),
    Column("arm"),
    Column("epochs", number=True),
    Column("loss", number=True),
    Column("test loss", number=True),
    Column("accuracy", number=True),
    Column("target", number=True, spare=2),
    Column("to target", number=True),
    Column("wrong", number=True, spare=1),
    Column("seconds of training", number=True),
)
Row = Mapping[str, Any]
"""A row of frame `epochs`."""


def learning(evidence: Evidence) -> Section | None:
    """None where nothing was trained."""
    if evidence.epochs.empty:
        return None
    rows = _last_epochs(evidence)
    return Section(
        id="curves",
        title="Training curves",
        sentences=tuple(_quickest(rows)),
        tables=(table(COLUMNS, [_row(evidence, row) for row in rows]),),
        charts=_charts(evidence),
        brief="the last epoch of each arm",
    )


def _last_epochs(evidence: Evidence) -> Sequence[Row]:
    """The last epoch of each training, with the seconds of all as `total_s`, and those until the
    target was reached as `to_target_s`, None where it was not.
    """
    epochs, keys = evidence.epochs, ["workload", "dtype", "arm"]
    last = []
    for _, part in epochs.sort_values("epoch", kind="stable").groupby(keys, sort=False):
        rows = records(part)
        task = evidence.measured.settings.tasks.get(rows[0]["workload"], {})
        total_s = sum(row["seconds"] for row in rows)
        last.append({**rows[-1], "total_s": total_s, "to_target_s": _to_target_s(rows, task)})
    return last


def _to_target_s(rows: Sequence[Row], task: Mapping[str, Any]) -> float | None:
    """Seconds of training, tests left out, up to the first epoch that reached the target.

    rows: the epochs of one training, in their order.
    """
    total_s = 0.0
    for row in rows:
        total_s += float(row["seconds"])
        if _reached(row, task):
            return total_s
    return None


def _reached(row: Row, task: Mapping[str, Any]) -> bool:
    target = task.get("target")
    figure = row["test_loss"] if task.get("metric") == "loss" else row["accuracy"]
    if target is None or figure is None:
        return False
    return bool(figure <= target if task.get("metric") == "loss" else figure >= target)


def _quickest(rows: Sequence[Row]) -> list[str]:
    """Who came to the target first, workload by workload; without one, who had trained first."""
    sentences = []
    for workload in dict.fromkeys(row["workload"] for row in rows):
        of_workload = [row for row in rows if row["workload"] == workload]
        arrived = [row for row in of_workload if row["to_target_s"] is not None]
        if arrived:
            sentences.append(f"{workload}: {_first_to_target(arrived, len(of_workload))}")
            continue
        first = min(of_workload, key=lambda row: row["total_s"])
        took = f"{counted(first['epoch'], 'epoch')} in {seconds(first['total_s'])} of training"
        sentences.append(f"{workload}: {first['arm']} took the least time, {took}")
    return sentences


def _first_to_target(arrived: Sequence[Row], trainings: int) -> str:
    """One training an arm: the order is what it was, and no claim about another."""
    first, last = (choose(arrived, key=lambda row: row["to_target_s"]) for choose in (min, max))
    came = f"{first['arm']} came to the target first, after {seconds(first['to_target_s'])}"
    if last is not first:
        came += f", {last['arm']} last, after {seconds(last['to_target_s'])}"
    missing = trainings - len(arrived)
    return f"{came}; {missing} of {trainings} did not" if missing else came


def _row(evidence: Evidence, row: Row) -> tuple[Cell, ...]:
    wrong = "" if row["accuracy"] is None else f"{row['wrong']} of {row['n_test']}"
    return (
        Cell(row["workload"], about={Facet.WORKLOAD: row["workload"]}),
        Cell(row["dtype"], about={Facet.TYPE: row["dtype"]}),
        arm_cell(row["arm"], evidence.backend_of(row["arm"])),
        Cell(str(row["epoch"])),
        *(figure(row[name], _four_digits) for name in ("loss", "test_loss", "accuracy")),
        Cell(_target(evidence.measured.settings.tasks.get(row["workload"], {}))),
        figure(row["to_target_s"], seconds),
        Cell(wrong),
        figure(row["total_s"], digits),
    )


def _four_digits(value: float | None) -> str:
    return digits(value, 4)


def _target(task: Mapping[str, Any]) -> str:
    """What the training aimed at."""
    target = task.get("target")
    of_loss = task.get("metric") == "loss" and target is not None
    return f"{'test loss ' if of_loss else ''}{digits(target)}"


def _charts(evidence: Evidence) -> tuple[CurveChart, ...]:
    """Training loss and what the test set says, a pair for each workload and element type."""
    charts = []
    by_training = evidence.epochs.groupby(["workload", "dtype"], sort=False)
    for (workload, dtype), part in by_training:
        rows = records(part)
        for field, title, log in (("loss", "training loss", True), _test_figure(rows)):
            points = drawable([_point(evidence, row, field) for row in rows], log)
            if points:
                charts.append(CurveChart(f"{workload} in {dtype}: {title}", points, title, log))
    return tuple(charts)


def _test_figure(rows: Sequence[Row]) -> tuple[str, str, bool]:
    """(column, title, whether on a log axis) of a test set: a regression has no accuracy."""
    counted = any(row["accuracy"] is not None for row in rows)
    return ("accuracy", "test accuracy", False) if counted else ("test_loss", "test loss", True)


def _point(evidence: Evidence, row: Row, field: str) -> CurvePoint:
    return CurvePoint(row["epoch"], row["arm"], evidence.backend_of(row["arm"]), row[field])


BUILDER = Builder(50, learning)
