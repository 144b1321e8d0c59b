"""A gate's findings as a table, as sentences and as a document."""

from dataclasses import asdict
from typing import Any

from ..execution.gate import NOT_RANKED, Answer, Finding, Gate
from ..protocol.keys import CellKey
from ..report.columns import VERDICT_STYLES, column_table
from ..report.quantity import digits, interval, percent, ratio
from ..report.words import NOT_JUDGED
from ..stats.estimates import Estimate
from ..stats.gate import CONFIRMED, FAMILY_ALPHA, Confirmation
from ..stats.verdict import SAME, UNDECIDED, Verdict
from ..wording import one_line

STYLES = {Answer.PASS: "green", Answer.INCONCLUSIVE: "yellow"}
"""Of the outcome, where it does not speak against the candidate."""
HEADINGS = (">screen", ">[95 %]", "verdict", "stage", ">confirm", ">[95 %]", ">p", ">Holm", "outcome", ">could see")
LEFT_OUT_FIRST = ("Holm", "p", "stage", "could see", "verdict", "[95 %]", "confirm")
"""What a narrow terminal can spare; the lines below the table tell it in words."""


def table(gate: Gate):
    """A rich table with a row for each cell, what was confirmed first, then by the screen's ratio.

    Arms have a column where there are several candidates.
    """
    from rich.text import Text

    several = len({finding.arm for finding in gate.findings}) > 1
    drawn = column_table("case", "phase", *(["arm"] if several else []), *HEADINGS, leave_out=LEFT_OUT_FIRST)
    for finding in sorted(gate.findings, key=_worst_first):
        where = [str(finding.case), finding.phase] + ([Text(finding.arm)] if several else [])
        answer = gate.answer_of(finding)
        screen = _ratio_and_interval(finding.screen, finding.verdict)
        word = _word(finding.verdict)
        verdict = Text(word, VERDICT_STYLES.get(word, "dim"))
        seen = "" if finding.outcome.overruled else percent(finding.smallest_difference)
        drawn.add_row(
            *where, *screen, verdict, finding.stage, *_confirmation(finding.confirmation),
            Text(answer, STYLES.get(answer, "bold red")), seen,
        )  # fmt: skip
    return drawn


def _confirmation(found: Confirmation | None) -> list[str]:
    if found is None:
        return [""] * 4
    steps = [digits(found.step.p, 2), digits(found.step.threshold, 2)]
    estimate = _ratio_and_interval(found.ratio.estimate, found.outcome)
    return [*estimate, *(["", ""] if found.outcome.overruled else steps)]


def _ratio_and_interval(estimate: Estimate, verdict: Verdict) -> list[str]:
    """Without the interval, and with it the p value, where the reason overrules it."""
    return [ratio(estimate.value), "" if verdict.overruled else interval(estimate.low, estimate.high)]


def _word(verdict: Verdict) -> str:
    """As in a run's tables: 'not judged' where something overrules the interval; a confirmation has its own words."""
    return NOT_JUDGED if verdict.overruled and verdict.text == UNDECIDED else verdict.text


def _worst_first(finding: Finding) -> tuple[bool, bool, float]:
    value = finding.screen.value
    return finding.outcome.text != CONFIRMED, not finding.flagged, -value if value == value else float("inf")


def lines(gate: Gate) -> list[str]:
    """What the table leaves open, in words: every reason, what became slower or faster, and the outcome of all."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for finding in gate.findings:
        if why := finding.outcome.reason or _change(gate, finding):
            key = finding.arm, gate.answer_of(finding), _named(_word(finding.outcome), why)
            told.setdefault(key, []).append(f"{finding.case} {finding.phase}")
    shown = [f"{answer}: {arm} ({', '.join(cells)}): {why}" for (arm, answer, why), cells in told.items()]
    return [one_line(text) for text in (*shown, _summary(gate))]


def _named(verdict: str, why: str) -> str:
    """A reason after the verdict that it is for; the outcome says CONFIRMED SLOWER, and the reason itself `not ranked`."""
    return why if verdict in (CONFIRMED, NOT_RANKED) else f"{verdict}: {why}"


def _change(gate: Gate, finding: Finding) -> str:
    """By how much a cell became slower or faster; empty for one that stayed the same."""
    if finding.outcome.text == SAME:
        return ""
    estimate = finding.confirmation.ratio.estimate if finding.confirmation else finding.screen
    return f"takes {ratio(estimate.value)} times as long as {gate.base} {interval(estimate.low, estimate.high)}"


def _summary(gate: Gate) -> str:
    if gate.answer is Answer.INTERRUPTED:
        return "gate: INTERRUPTED"
    unjudged = sum(gate.answer_of(finding) not in (Answer.PASS, Answer.SLOWER) for finding in gate.findings)
    counts = f"{len(gate.findings)} cells screened, {len(gate.flagged)} flagged, {len(gate.confirmed)} confirmed slower"
    bar = f"by more than {percent(gate.theta)} than {gate.base} (family alpha {percent(FAMILY_ALPHA)})"
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
        "cells": [_cell(gate, finding) for finding in gate.findings],
        "failed": [_failed(key, reason) for key, reason in gate.failed.items()],
        "unproven": [
            {"arm": arm, "workload": workload, "status": found.status, "reason": found.reason}
            for (arm, workload), found in gate.unproven.items()
        ],
        "unjudged": dict(gate.unjudged),
        "interrupted": gate.interrupted,
    }


def _cell(gate: Gate, finding: Finding) -> dict[str, Any]:
    place = {
        "workload": finding.case.workload,
        "batch_size": finding.case.batch_size,
        "phase": finding.phase,
        "arm": finding.arm,
        "stage": finding.stage,
        "flagged": finding.flagged,
    }
    found, overruled = finding.confirmation, finding.outcome.overruled
    return place | {
        "screen": _estimate(finding.screen, finding.verdict),
        "screen_verdict": finding.verdict.text,
        "confirm": _estimate(found.ratio.estimate, found.outcome) if found else None,
        "p": found.step.p if found and not overruled else None,
        "holm_threshold": found.step.threshold if found and not overruled else None,
        "verdict": finding.outcome.text,
        "outcome": gate.answer_of(finding),
        "reason": finding.outcome.reason or None,
        "smallest_difference": None if overruled else finding.smallest_difference,
    }


def _estimate(estimate: Estimate, verdict: Verdict) -> dict[str, Any]:
    """Without the interval where the reason overrules it, as in the table."""
    return asdict(estimate) | (dict.fromkeys(("low", "high")) if verdict.overruled else {})


def _failed(key: CellKey, reason: str) -> dict[str, str]:
    return {"arm": key.arm.name, "case": str(key.case), "phase": key.phase, "reason": reason}
