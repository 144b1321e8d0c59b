"""Predictions: whether all arms predict the same, and how good each is."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...execution.training import Figures
from ...spec.workload import Workload
from ...wording import counted
from ...wording import listed as first_of
from ..cells import arm_cell
from ..learning import figures_of, headings_of
from ..quantity import MISSING
from ..section import Cell, Column, Section, Tone, table
from ..words import all_of


@dataclass(frozen=True)
class ArmFigures:
    """How good one arm's predictions are; why there are none, where it failed."""

    arm: str
    figures: Figures | None
    failure: str


def prediction_section(
    workload: Workload, results: Sequence[ArmFigures], differing: Sequence[int], examples: int
) -> Section:
    """differing: test examples of which not all arms predict the same.  examples: of the test
    set.
    """
    failed = any(one.failure for one in results)
    columns = [Column("arm"), *(Column(name, number=True) for name in headings_of(workload))]
    columns += [Column("why", prose=True)] if failed else []
    return Section(
        id="predictions",
        title=_outcome(results, differing, examples),
        tables=(table(columns, [_row(workload, one, failed) for one in results]),),
    )


def _outcome(results: Sequence[ArmFigures], differing: Sequence[int], examples: int) -> str:
    able = [one for one in results if one.figures is not None]
    failed = [one.arm for one in results if one.figures is None]
    without = f"; {first_of(failed)} failed" if failed else ""
    if differing:
        some = first_of([str(example) for example in differing])
        return f"The arms differ on {counted(len(differing), 'test example')}: {some}{without}."
    if not able:
        return f"No arm could predict{without}."
    if len(able) == 1:
        return f"The arm predicts {counted(examples, 'test example')}{without}."
    same = "arms predict the same for every one of"
    return f"{all_of(len(able))} {same} {counted(examples, 'test example')}{without}."


def _row(workload: Workload, one: ArmFigures, failed: bool) -> list[Cell]:
    headings = headings_of(workload)
    figures = [MISSING] * len(headings)
    if one.figures is not None:
        figures = figures_of(workload, one.figures)
    why = [Cell(f"failed: {one.failure}" if one.failure else "", tone=Tone.BAD)] if failed else []
    return [arm_cell(one.arm, one.arm.partition(":")[0]), *map(Cell, figures), *why]
