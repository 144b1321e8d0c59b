"""What a gate says of one cell, and what it holds candidates against, in words."""

from collections.abc import Sequence

from ..execution.compared_figures import ComparedFigure
from ..execution.gate_cells import Gate, GateCell
from ..stats.estimates import Estimate
from ..stats.verdict import Finding, Verdict
from ..wording import counted
from .quantity import MISSING, digits, interval, percent, ratio
from .words import NOT_JUDGED

SHORT_UNITS = ("B", "FLOP")
"""Units that stand behind a number; the name of a figure says the others."""
UNEXPLAINED = (
    "faster for certain, while its figures, its agreement with the reference and its versions are "
    "the base's: nothing that was counted explains it"
)


def held_against(gate: Gate) -> str:
    """The base's name; where candidates have several bases, that each has its own."""
    bases = list(dict.fromkeys(cell.base for cell in gate.cells)) or [gate.base]
    return bases[0] if len(bases) == 1 else "their bases"


def deciding(cell: GateCell) -> tuple[Estimate, Finding]:
    """The ratio of the stage that decided, and its finding."""
    if cell.deciding:
        return cell.deciding.estimate, cell.deciding.finding
    return cell.screen, cell.finding


def interrupted(gate: Gate) -> str:
    """What an interruption left; a second confirmation takes nothing from the first."""
    sure = f"{counted(len(gate.confirmed), 'cell')} confirmed slower" if gate.confirmed else ""
    return f"{sure or 'nothing is confirmed'}; what was measured is kept"


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
    return why_of(gate, cell)


def why_of(gate: Gate, cell: GateCell) -> str:
    """What its times leave open or say, after the verdict that it is for."""
    why = cell.outcome.reason or change(cell)
    if gate.is_blind(cell) and cell.answered:
        why = "; ".join(filter(None, [why, too_blind(gate, cell)]))
    of_times = named(word(cell.outcome), why) if why else ""
    unexplained = UNEXPLAINED if cell in gate.unexplained else ""
    return "; ".join(filter(None, [grown(cell.regressions), unexplained, of_times, cell.networks]))


def grown(figures: Sequence[ComparedFigure]) -> str:
    """`operators: 8, of the base 4`, of each figure; empty without one."""
    return "; ".join(
        f"{figure.name}: {amount(figure.candidate, figure.unit)}, of the base "
        f"{amount(figure.base, figure.unit)}"
        for figure in figures
    )


def amount(value: float | None, unit: str) -> str:
    """`1,234`, and bytes and FLOP as exactly as they were counted."""
    if value is None:
        return MISSING
    number = f"{value:,.0f}" if float(value).is_integer() else digits(value, 6)
    return f"{number} {unit}" if unit in SHORT_UNITS else number


def too_blind(gate: Gate, cell: GateCell) -> str:
    """Why a cell with an interval does not pass."""
    sees = percent(cell.smallest_difference)
    must_see = percent(gate.policy.must_see_of(cell.theta))
    return f"it finds slowdowns from {sees} on, and must see {must_see}"


def by_more(gate: Gate) -> str:
    """`by more than 2 %`; where cells have thresholds of their own, that they do."""
    thetas = {cell.theta for cell in gate.cells} or {gate.theta}
    bar = percent(min(thetas)) if len(thetas) == 1 else "its threshold"
    return f"by more than {bar}"


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
