"""Rows of a check of agreement as tables in the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..agreement.check import Kind
from ..agreement.status import Status
from ..execution.agreement_rows import AgreementRow
from .agreement_words import times
from .cells import check_cell
from .columns import column_table
from .quantity import MISSING
from .terminal import cell_text

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

KINDS = ("outputs", "loss", "gradients", "state", "weights", "slots")
"""Columns of the agreement matrix: kinds of tensor, those after one and five steps together."""
Place = tuple[str, str, str]
"""(workload, arm, element type)"""


def agreement_table(rows: Sequence[AgreementRow]) -> "Table":
    """The worst tensor for each arm, workload and element type."""
    from rich.text import Text

    headings = ("workload", "arm", "type", "agrees", ">ratio", "of", "tensor")
    table = column_table(*headings, leave_out=("tensor", "of"))
    worst: dict[Place, AgreementRow] = {}
    for row in rows:
        place = row.workload, row.arm, row.dtype
        worst[place] = _worse(worst.get(place), row)
    for row in worst.values():
        agreement = row.agreement
        of = f"{agreement.kind if agreement.tensor else ''} {agreement.optimizer}".strip()
        table.add_row(
            row.workload,
            Text(row.arm),
            row.dtype,
            cell_text(check_cell(row.status)),
            times(row),
            of,
            Text(agreement.tensor),
        )
    return table


def agreement_matrix(rows: Sequence[AgreementRow]) -> "Table":
    """The worst ratio to the allowance by workload, arm and type, for each kind of tensor; above 1
    is red.
    """
    from rich.text import Text

    headings = ("workload", "arm", "type", *(f">{kind}" for kind in KINDS))
    table = column_table(*headings, leave_out=("state", "slots", "loss"))
    worst_of: dict[Place, dict[str, AgreementRow]] = {}
    for row in rows:
        worst = worst_of.setdefault((row.workload, row.arm, row.dtype), {})
        kind = Kind.parse(row.agreement.kind).name
        worst[kind] = _worse(worst.get(kind), row)
    for (workload, arm, dtype), worst in worst_of.items():
        cells = [_cell(worst[kind]) if kind in worst else Text() for kind in KINDS]
        if not any(kind in worst for kind in KINDS):
            cells = [_cell(max(worst.values(), key=lambda row: row.badness))]
        table.add_row(workload, Text(arm), dtype, *cells)
    return table


def _worse(one: AgreementRow | None, other: AgreementRow) -> AgreementRow:
    """The first of two that are as bad as each other."""
    if one is None:
        return other
    return max(one, other, key=lambda row: row.badness)


def _cell(row: AgreementRow) -> "Text":
    """The ratio, or the status where there is none."""
    from rich.text import Text

    style = "" if row.status is Status.AGREES else "dim"
    if not row.status.passes:
        style = "bold red"
    ratio = times(row)
    return Text(row.status if ratio == MISSING else ratio, style)
