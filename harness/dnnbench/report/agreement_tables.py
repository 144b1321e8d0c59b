"""What a check of agreement found, as tables in the terminal; rows are those of frame `agreement`."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..agreement.status import Status
from ..execution.checking import badness_of
from .columns import column_table, mark
from .quantity import MISSING, digits, present

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

KINDS = ("outputs", "loss", "gradients", "state", "weights", "slots")
"""Columns of the agreement matrix: kinds of tensor, those after one and five steps together."""


def agreement_table(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """The worst tensor for each arm, workload and element type, from rows of frame `agreement`."""
    from rich.text import Text

    table = column_table("workload", "arm", "type", "agrees", ">ratio", "of", "tensor", leave_out=("tensor", "of"))
    worst: dict[tuple, Mapping[str, Any]] = {}
    for row in rows:
        key = row["workload"], row["arm"], row["dtype"]
        worst[key] = max(worst.get(key, row), row, key=badness_of)
    for (workload, arm, dtype), row in worst.items():
        status, kind = Status(row["status"]), row["kind"] if row["tensor"] else ""
        of = f"{kind} {row['optimizer'] or ''}".strip()
        table.add_row(workload, Text(arm), dtype, mark(status), times(row), of, Text(row["tensor"] or ""))
    return table


def agreement_matrix(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """The worst ratio to the allowance by workload, arm and type, for each kind of tensor; above 1 is red."""
    from rich.text import Text

    table = column_table(
        "workload", "arm", "type", *(f">{kind}" for kind in KINDS), leave_out=("state", "slots", "loss")
    )
    cases: dict[tuple, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        worst = cases.setdefault((row["workload"], row["arm"], row["dtype"]), {})
        kind = row["kind"].partition("@")[0]
        worst[kind] = max(worst.get(kind, row), row, key=badness_of)
    for (workload, arm, dtype), worst in cases.items():
        cells = [_cell(worst[kind]) if kind in worst else Text() for kind in KINDS]
        if not any(kind in worst for kind in KINDS):
            cells = [_cell(max(worst.values(), key=badness_of))]
        table.add_row(workload, Text(arm), dtype, *cells)
    return table


def _cell(row: Mapping[str, Any]) -> "Text":
    """The ratio, or the status where there is none."""
    from rich.text import Text

    status = Status(row["status"])
    style = "bold red" if not status.passes else "" if status is Status.AGREES else "dim"
    return Text(times(row) if times(row) != MISSING else status, style)


def times(row: Mapping[str, Any]) -> str:
    """How often the error takes up its allowance, where both are numbers: a missing tensor has no error."""
    return digits(row["ratio"]) if present(row["ratio"]) and isfinite(row["ratio"]) else MISSING
