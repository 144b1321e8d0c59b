"""Verdicts as sentences."""

from collections import Counter
from collections.abc import Sequence

from ..wording import counted
from .quantity import interval, percent, present, ratio
from .summary_rows import CellSummary

SAYINGS = {
    "FASTER": "{arms} {is_are} faster than {base}",
    "SAME": "{arms} {is_are} as fast as {base} within {theta}",
    "SLOWER": "{arms} {is_are} slower than {base}",
    "UNDECIDED": "{arms} cannot be told from {base} for certain by this run",
}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NOT_JUDGED = "not judged"
"""Shown in the place of a verdict that has no interval, or whose interval something overrules."""


def verdict_word(verdict: str | None, ratio_low: float | None) -> str:
    """What the verdict column shows: the verdict, 'not judged' where there is no interval to judge,
    else nothing.
    """
    undecided = verdict == "UNDECIDED"
    return NOT_JUDGED if undecided and not present(ratio_low) else verdict or ""


def word_of(row: CellSummary) -> str:
    """`verdict_word` of a cell."""
    return verdict_word(row.verdict, row.ratio_low)


def sentences(rows: Sequence[CellSummary], base: str, theta: float) -> list[str]:
    """What the cells of one phase say against the base, a sentence for each verdict, the sure ones
    first.
    """
    spoken = []
    for verdict, saying in SAYINGS.items():
        arms = [_with_ratio(row) for row in rows if word_of(row) == verdict]
        if arms:
            is_are = "is" if len(arms) == 1 else "are"
            text = saying.format(arms=listed(arms), is_are=is_are, base=base, theta=percent(theta))
            spoken.append(text)
    return [*spoken, *_not_judged(rows), *_without_verdict(rows, base)]


def _not_judged(rows: Sequence[CellSummary]) -> list[str]:
    arms_by_reason: dict[str | None, list[str]] = {}
    for row in rows:
        if word_of(row) == NOT_JUDGED:
            arms_by_reason.setdefault(row.verdict_reason, []).append(_with_ratio(row))
    return [f"{listed(arms)} {NOT_JUDGED}: {reason}" for reason, arms in arms_by_reason.items()]


def _without_verdict(rows: Sequence[CellSummary], base: str) -> list[str]:
    silent = [row for row in rows if row.verdict is None and row.arm != base]
    return [f"{row.arm}: {without_verdict(row)}" for row in silent]


def _with_ratio(row: CellSummary) -> str:
    bounds = interval(row.ratio_low, row.ratio_high)
    return f"{row.arm} ({ratio(row.ratio)}× {bounds}".rstrip() + ")"


def without_verdict(row: CellSummary) -> str:
    """Why a cell has no verdict: what it failed of, why it is not ranked, or its status."""
    untimed = "not measured yet" if row.status == "pending" else row.status
    return row.verdict_reason or row.reason or untimed


def why_not_clear(row: CellSummary) -> str:
    """`without_verdict`, after 'not judged: ' where that is what the verdict column shows."""
    not_judged = word_of(row) == NOT_JUDGED
    return f"{NOT_JUDGED}: {row.verdict_reason}" if not_judged else without_verdict(row)


def nothing_decided(rows: Sequence[CellSummary], base: str, theta: float) -> str:
    """Why not one of the cells that were held against the base got a verdict.

    Empty where one did, or none was held.  rows: of a whole run.
    """
    held = [row for row in rows if row.verdict is not None]
    if not held or any(row.verdict != "UNDECIDED" for row in held):
        return ""
    crossing = f"the interval reaches across ±{percent(theta)}"
    reasons = [row.verdict_reason if word_of(row) == NOT_JUDGED else crossing for row in held]
    kinds = Counter((reason or "").partition(": ")[0] for reason in reasons).most_common()
    if len(kinds) == 1:
        return f"this run decided nothing against {base}: {kinds[0][0]}"
    cells = counted(len(held), "cell")
    said = [f"{kind} ({count} of {cells})" for kind, count in kinds]
    return f"this run decided nothing against {base}: {'; '.join(said)}"


def unsteady(row: CellSummary) -> str:
    """'no_steady_state 2/3': generations whose warm-up ended unsteady, of those that were measured;
    else empty.
    """
    return f"no_steady_state {row.no_steady_state}/{row.generations}" if row.no_steady_state else ""


def all_of(count: int) -> str:
    """'Both', 'All four', 'All 12'; of two at least."""
    number = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return "Both" if count == 2 else f"All {number}"


def listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
