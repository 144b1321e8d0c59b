"""What a check of agreement found, as tables in the terminal; rows are those of frame `agreement`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..run.agreement import UNSUPPORTED
from .columns import column_table, mark
from .quantity import digits

if TYPE_CHECKING:
    from rich.table import Table

KINDS = ("outputs", "loss", "gradients", "state", "weights", "slots")
"""Columns of the agreement matrix: kinds of tensor, those after one and five steps together."""


def agreement_table(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """The worst tensor for each arm, workload and element type, from rows of frame `agreement`."""
    from rich.text import Text

    table = column_table("workload", "arm", "type", "agrees", ">ratio", "of", "tensor")
    worst: dict[tuple, Mapping[str, Any]] = {}
    for row in rows:
        key = row["workload"], row["arm"], row["dtype"]
        worst[key] = max(worst.get(key, row), row, key=_badness)
    for (workload, arm, dtype), row in worst.items():
        if row["kind"] == UNSUPPORTED:
            table.add_row(workload, Text(arm), dtype, Text(UNSUPPORTED, style="dim"))
            continue
        of = f"{row['kind']} {row['optimizer'] or ''}".strip()
        table.add_row(workload, Text(arm), dtype, mark(row["ok"]), digits(row["ratio"]), of, Text(row["tensor"] or ""))
    return table


def agreement_matrix(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """The worst ratio to the allowance by workload, arm and type, for each kind of tensor; above 1 is red."""
    from rich.text import Text

    table = column_table("workload", "arm", "type", *(f">{kind}" for kind in KINDS))
    cases: dict[tuple, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        worst = cases.setdefault((row["workload"], row["arm"], row["dtype"]), {})
        kind = row["kind"].partition("@")[0]
        worst[kind] = max(worst.get(kind, row), row, key=_badness)
    for (workload, arm, dtype), worst in cases.items():
        if UNSUPPORTED in worst:
            table.add_row(workload, Text(arm), dtype, Text(UNSUPPORTED, style="dim"))
            continue
        cells = [(digits(worst[kind]["ratio"]), worst[kind]["ok"]) if kind in worst else ("", True) for kind in KINDS]
        table.add_row(workload, Text(arm), dtype, *(Text(text, style="" if ok else "bold red") for text, ok in cells))
    return table


def _badness(row: Mapping[str, Any]) -> tuple[bool, float]:
    """What fails above what passes; no ratio, or NaN, above any."""
    value = row["ratio"]
    return not row["ok"], float("inf") if value is None or value != value else value
