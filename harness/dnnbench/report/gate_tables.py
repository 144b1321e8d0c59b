"""A gate's findings as a table, as sentences and as a document."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..execution.gate import Answer, Gate, GateCell
from ..protocol.keys import CellKey
from ..stats.estimates import Estimate
from ..stats.gate import FAMILY_ALPHA, Confirmation
from ..stats.verdict import Finding, Verdict
from ..wording import one_line
from .columns import VERDICT_STYLES, column_table
from .quantity import digits, interval, percent, ratio
from .words import NOT_JUDGED

if TYPE_CHECKING:
    from rich.table import Table

STYLES = {Answer.PASS: "green", Answer.INCONCLUSIVE: "yellow"}
"""Of the outcome, where it does not speak against the candidate."""
HEADINGS = (
    ">screen",
    ">[95 %]",
    "verdict",
    "stage",
    ">confirm",
    ">[95 %]",
    ">p",
    ">Holm",
    "outcome",
    ">could see",
)
LEFT_OUT_FIRST = ("Holm", "p", "stage", "could see", "verdict", "[95 %]", "confirm")
"""What a narrow terminal can spare; the lines below the table tell it in words."""


def table(gate: Gate) -> "Table":
    """A rich table with a row for each cell, what was confirmed first, then by the screen's ratio.

    Arms have a column where there are several candidates.
    """
    from rich.text import Text

    several = len({cell.arm for cell in gate.cells}) > 1
    drawn = column_table(
        "case", "phase", *(["arm"] if several else []), *HEADINGS, leave_out=LEFT_OUT_FIRST
    )
    for cell in sorted(gate.cells, key=_worst_first):
        where = [str(cell.case), cell.phase] + ([Text(cell.arm)] if several else [])
        answer = gate.answer_of(cell)
        screen = _ratio_and_interval(cell.screen, cell.finding)
        word = _word(cell.finding)
        verdict = Text(word, VERDICT_STYLES.get(word, "dim"))
        seen = "" if cell.outcome.overruled else percent(cell.smallest_difference)
        drawn.add_row(
            *where, *screen, verdict, cell.stage, *_confirmation(cell.confirmation),
            Text(answer, STYLES.get(answer, "bold red")), seen,
        )  # fmt: skip
    return drawn


def _confirmation(confirmation: Confirmation | None) -> list[str]:
    if confirmation is None:
        return [""] * 4
    steps = [digits(confirmation.step.p, 2), digits(confirmation.step.threshold, 2)]
    estimate = _ratio_and_interval(confirmation.ratio.estimate, confirmation.finding)
    return [*estimate, *(["", ""] if confirmation.finding.overruled else steps)]


def _ratio_and_interval(estimate: Estimate, finding: Finding) -> list[str]:
    """Without the interval, and with it the p value, where the reason overrules it."""
    return [
        ratio(estimate.value),
        "" if finding.overruled else interval(estimate.low, estimate.high),
    ]


def _word(finding: Finding) -> str:
    """As in a run's tables: 'not judged' where something overrules the interval.

    A confirmation has its own words.
    """
    return (
        NOT_JUDGED
        if finding.overruled and finding.verdict == Verdict.UNDECIDED
        else str(finding.verdict)
    )


def _worst_first(cell: GateCell) -> tuple[bool, bool, float]:
    value = cell.screen.value
    return (
        cell.outcome.verdict != Verdict.CONFIRMED,
        not cell.flagged,
        -value if value == value else float("inf"),
    )


def lines(gate: Gate) -> list[str]:
    """What the table leaves open, in words: every reason, what became slower or faster,
    and the outcome of all.
    """
    cells_of: dict[tuple[str, str, str], list[str]] = {}
    for cell in gate.cells:
        if why := cell.outcome.reason or _change(cell):
            key = cell.arm, gate.answer_of(cell), _named(_word(cell.outcome), why)
            cells_of.setdefault(key, []).append(f"{cell.case} {cell.phase}")
    shown = [
        f"{answer}: {arm} ({', '.join(cells)}): {why}"
        for (arm, answer, why), cells in cells_of.items()
    ]
    return [one_line(text) for text in (*shown, _summary(gate))]


def _named(verdict: str, why: str) -> str:
    """A reason after the verdict that it is for.

    The outcome says CONFIRMED SLOWER, and the reason itself `not ranked`.
    """
    return why if verdict in (Verdict.CONFIRMED, Verdict.NOT_RANKED) else f"{verdict}: {why}"


def _change(cell: GateCell) -> str:
    """By how much a cell became slower or faster; empty for one that stayed the same."""
    if cell.outcome.verdict == Verdict.SAME:
        return ""
    estimate = cell.confirmation.ratio.estimate if cell.confirmation else cell.screen
    return (
        f"takes {ratio(estimate.value)} times as long as {cell.base} "
        f"{interval(estimate.low, estimate.high)}"
    )


def _summary(gate: Gate) -> str:
    if gate.answer is Answer.INTERRUPTED:
        return "gate: INTERRUPTED"
    unjudged = sum(gate.answer_of(cell) not in (Answer.PASS, Answer.SLOWER) for cell in gate.cells)
    counts = (
        f"{len(gate.cells)} cells screened, {len(gate.flagged)} flagged, "
        f"{len(gate.confirmed)} confirmed slower"
    )
    bar = (
        f"by more than {percent(gate.theta)} than {gate.base} "
        f"(family alpha {percent(FAMILY_ALPHA)})"
    )
    return f"gate: {gate.answer}: {counts} {bar}" + (f"; {unjudged} not judged" if unjudged else "")


def document(gate: Gate) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "passed": gate.passed,
        "outcome": gate.answer,
        "base": gate.base,
        "theta": gate.theta,
        "alpha": FAMILY_ALPHA,
        "screen_run": gate.screen_run,
        "confirm_run": gate.confirm_run,
        "cells": [_cell(gate, cell) for cell in gate.cells],
        "failed": [_failed(key, reason) for key, reason in gate.failed.items()],
        "unproven": [
            {"arm": arm, "workload": workload, "status": unproven.status, "reason": unproven.reason}
            for (arm, workload), unproven in gate.unproven.items()
        ],
        "unjudged": dict(gate.unjudged),
        "interrupted": gate.interrupted,
    }


def _cell(gate: Gate, cell: GateCell) -> dict[str, Any]:
    place = {
        "workload": cell.case.workload,
        "batch_size": cell.case.batch_size,
        "phase": cell.phase,
        "arm": cell.arm,
        "stage": cell.stage,
        "flagged": cell.flagged,
    }
    confirmation, overruled = cell.confirmation, cell.outcome.overruled
    return place | {
        "screen": _estimate(cell.screen, cell.finding),
        "screen_verdict": cell.finding.verdict,
        "confirm": _estimate(confirmation.ratio.estimate, confirmation.finding)
        if confirmation
        else None,
        "p": confirmation.step.p if confirmation and not overruled else None,
        "holm_threshold": confirmation.step.threshold if confirmation and not overruled else None,
        "verdict": cell.outcome.verdict,
        "outcome": gate.answer_of(cell),
        "reason": cell.outcome.reason or None,
        "smallest_difference": None if overruled else cell.smallest_difference,
    }


def _estimate(estimate: Estimate, finding: Finding) -> dict[str, Any]:
    """Without the interval where the reason overrules it, as in the table."""
    return asdict(estimate) | (dict.fromkeys(("low", "high")) if finding.overruled else {})


def _failed(key: CellKey, reason: str) -> dict[str, str]:
    return {"arm": key.arm.name, "case": str(key.case), "phase": key.phase, "reason": reason}
