"""What a gate says of one cell, and what it holds candidates against, in words."""

from ..execution.gate import Gate, GateCell
from ..stats.estimates import Estimate
from ..stats.verdict import Finding, Verdict
from .quantity import interval, ratio
from .words import NOT_JUDGED


def held_against(gate: Gate) -> str:
    """The base's name; where candidates have several bases, that each has its own."""
    bases = list(dict.fromkeys(cell.base for cell in gate.cells)) or [gate.base]
    return bases[0] if len(bases) == 1 else "their bases"


def deciding(cell: GateCell) -> tuple[Estimate, Finding]:
    """The ratio of the stage that decided, and its finding."""
    if cell.confirmation:
        return cell.confirmation.ratio.estimate, cell.confirmation.finding
    return cell.screen, cell.finding


def word(finding: Finding) -> str:
    """As in a run's tables: 'not judged' where something overrules the interval.

    A confirmation has its own words.
    """
    silent = finding.overruled and finding.verdict == Verdict.UNDECIDED
    return NOT_JUDGED if silent else str(finding.verdict)


def reason_of(gate: Gate, cell: GateCell) -> str:
    """Why a cell has its outcome; empty where there is nothing to say."""
    if unproven := gate.unproven.get((cell.arm, cell.case.workload)):
        return unproven.sentence
    if failure := gate.failed.get(cell.key):
        return failure
    why = cell.outcome.reason or change(cell)
    return named(word(cell.outcome), why) if why else ""


def named(verdict: str, why: str) -> str:
    """A reason after the verdict that it is for.

    The outcome says CONFIRMED SLOWER, and the reason itself `not ranked`.
    """
    return why if verdict in (Verdict.CONFIRMED, Verdict.NOT_RANKED) else f"{verdict}: {why}"


def change(cell: GateCell) -> str:
    """By how much a cell became slower or faster; empty for one that stayed the same."""
    if cell.outcome.verdict == Verdict.SAME:
        return ""
    estimate = deciding(cell)[0]
    return (
        f"takes {ratio(estimate.value)} times as long as {cell.base} "
        f"{interval(estimate.low, estimate.high)}"
    )
