"""Verdicts as sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from .quantity import interval, percent, ratio

Row = Mapping[str, Any]

SAYINGS = {
    "FASTER": "{arms} {is_are} faster than {base}",
    "SAME": "{arms} {is_are} as fast as {base} within {theta}",
    "SLOWER": "{arms} {is_are} slower than {base}",
    "UNDECIDED": "{arms} cannot be told from {base} for certain by this run",
}


def sentences(rows: Sequence[Row], base: str, theta: float) -> list[str]:
    """What the cells of one phase say against the base, a sentence for each verdict, the sure ones first.

    rows: dictionaries of cells joined with their summary.
    """
    told = []
    for verdict, saying in SAYINGS.items():
        arms = [_with_ratio(row) for row in rows if row["verdict"] == verdict]
        if arms:
            words = {"arms": listed(arms), "is_are": "is" if len(arms) == 1 else "are", "base": base}
            told.append(saying.format(**words, theta=percent(theta)))
    silent = [row for row in rows if row["verdict"] is None and row["arm"] != base]
    told += [f"{row['arm']}: {without_verdict(row)}" for row in silent]
    return told


def _with_ratio(row: Row) -> str:
    return f"{row['arm']} ({ratio(row['ratio'])}× {interval(row['ratio_low'], row['ratio_high'])}".rstrip() + ")"


def without_verdict(row: Row) -> str:
    """Why a cell has no verdict: what it failed of, what it may not be ranked for, or its status."""
    return row["verdict_reason"] or row["reason"] or {"pending": "not measured yet"}.get(row["status"], row["status"])


def unsteady(row: Row) -> str:
    """'no_steady_state 2/3': generations whose warm-up ended unsteady, of those that were measured; else empty."""
    return f"no_steady_state {row['no_steady_state']}/{row['generations']}" if row["no_steady_state"] else ""


def listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
