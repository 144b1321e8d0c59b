"""What was counted of calls: figures of each cell, in the middle of its processes."""

from collections.abc import Sequence
from statistics import median

from ...store.figure_rows import FigureRow
from ..builders import Builder
from ..cells import arm_cell, case_cell, phase_cell
from ..evidence import Evidence
from ..gate_words import amount
from ..section import Cell, Column, Section, table

COLUMNS = (
    Column("workload", once=True),
    Column("phase", once=True),
    Column("arm", once=True),
    Column("figure"),
    Column("value", number=True),
    Column("from", spare=1),
)


def figures(evidence: Evidence) -> Section | None:
    """None where the run did not count, and for a gate's, which has a table of its own."""
    rows = [] if evidence.gate else evidence.measured.figures
    if not rows:
        return None
    by_cell: dict[str, dict[str, list[FigureRow]]] = {}
    for row in rows:
        by_cell.setdefault(row.cell_id, {}).setdefault(row.figure, []).append(row)
    body = [
        [
            case_cell(cell.workload, cell.batch_size),
            phase_cell(cell.phase),
            arm_cell(cell.arm, cell.backend),
            *_figure(name, of_name),
        ]
        for cell in evidence.measured.cells
        for name, of_name in by_cell.get(cell.cell_id, {}).items()
    ]
    return Section(
        id="figures",
        title="Figures of a call",
        tables=(table(COLUMNS, body),),
        lead="What noise cannot touch, counted once in each of the first six generations: "
        "operators, FLOPs, bytes, graph breaks, page faults. Figures of two frameworks do not "
        "count the same things.",
        brief="counted in each of the first six generations",
    )


def _figure(name: str, rows: Sequence[FigureRow]) -> list[Cell]:
    values = [row.value for row in rows if row.value is not None]
    if not values:
        return [Cell(name), Cell(), Cell(rows[0].reason or "")]
    low, high = min(values), max(values)
    spread = f", {amount(low, rows[0].unit)} to {amount(high, rows[0].unit)}" if low < high else ""
    processes = "1 process" if len(values) == 1 else f"{len(values)} processes"
    return [Cell(name), Cell(amount(median(values), rows[0].unit)), Cell(processes + spread)]


BUILDER = Builder(66, figures)
