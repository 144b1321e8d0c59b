"""Verdicts as sentences."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .quantity import interval, percent, present, ratio

Row = Mapping[str, Any]

SAYINGS = {
    "FASTER": "{arms} {is_are} faster than {base}",
    "SAME": "{arms} {is_are} as fast as {base} within {theta}",
    "SLOWER": "{arms} {is_are} slower than {base}",
    "UNDECIDED": "{arms} cannot be told from {base} for certain by this run",
}
NOT_JUDGED = "not judged"
"""Shown in the place of a verdict that has no interval, or whose interval something overrules."""


def verdict_word(row: Row) -> str:
    """What the verdict column shows: the verdict, 'not judged' where there is no interval to judge, else nothing."""
    undecided = row["verdict"] == "UNDECIDED"
    return NOT_JUDGED if undecided and not present(row["ratio_low"]) else row["verdict"] or ""


def sentences(rows: Sequence[Row], base: str, theta: float) -> list[str]:
    """What the cells of one phase say against the base, a sentence for each verdict, the sure ones first.

    rows: dictionaries of cells joined with their summary.
    """
    told = []
    for verdict, saying in SAYINGS.items():
        arms = [_with_ratio(row) for row in rows if verdict_word(row) == verdict]
        if arms:
            words = {
                "arms": listed(arms),
                "is_are": "is" if len(arms) == 1 else "are",
                "base": base,
            }
            told.append(saying.format(**words, theta=percent(theta)))
    not_judged: dict[str, list[str]] = {}
    for row in rows:
        if verdict_word(row) == NOT_JUDGED:
            not_judged.setdefault(row["verdict_reason"], []).append(_with_ratio(row))
    told += [f"{listed(arms)} {NOT_JUDGED}: {reason}" for reason, arms in not_judged.items()]
    silent = [row for row in rows if row["verdict"] is None and row["arm"] != base]
    told += [f"{row['arm']}: {without_verdict(row)}" for row in silent]
    return told


def _with_ratio(row: Row) -> str:
    return (
        f"{row['arm']} ({ratio(row['ratio'])}× {interval(row['ratio_low'], row['ratio_high'])}".rstrip()
        + ")"
    )


def without_verdict(row: Row) -> str:
    """Why a cell has no verdict: what it failed of, what it may not be ranked for, or its status."""
    status: str = row["status"]
    untimed = "not measured yet" if status == "pending" else status
    return row["verdict_reason"] or row["reason"] or untimed


def why_not_clear(row: Row) -> str:
    """`without_verdict`, after 'not judged: ' where that is what the verdict column shows."""
    return (
        f"{NOT_JUDGED}: {row['verdict_reason']}"
        if verdict_word(row) == NOT_JUDGED
        else without_verdict(row)
    )


def nothing_decided(rows: Sequence[Row], base: str, theta: float) -> str:
    """Why not one of the cells that were held against the base got a verdict; empty where one did, or none was held.

    rows: dictionaries of the cells of a whole run joined with their summary.
    """
    held = [row for row in rows if row["verdict"] is not None]
    if not held or any(row["verdict"] != "UNDECIDED" for row in held):
        return ""
    crossing = f"the interval reaches across ±{percent(theta)}"
    kinds = [row["verdict_reason"] if verdict_word(row) == NOT_JUDGED else crossing for row in held]
    counted = Counter(kind.partition(": ")[0] for kind in kinds).most_common()
    told = [
        kind if len(counted) == 1 else f"{kind} ({count} of {len(held)} cells)"
        for kind, count in counted
    ]
    return f"this run decided nothing against {base}: {'; '.join(told)}"


def unsteady(row: Row) -> str:
    """'no_steady_state 2/3': generations whose warm-up ended unsteady, of those that were measured; else empty."""
    return (
        f"no_steady_state {row['no_steady_state']}/{row['generations']}"
        if row["no_steady_state"]
        else ""
    )


def listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
