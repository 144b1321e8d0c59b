"""A gate: may the candidate pass, each cell in the stage that decided, every reason."""

from collections.abc import Sequence

from ...execution.compared_figures import ComparedFigure
from ...execution.gate_cells import Answer, Gate, GateCell, Stage
from ...stats.estimates import Estimate
from ...stats.gate import FAMILY_ALPHA, Confirmation
from ...stats.verdict import Finding, Verdict
from ...wording import counted, one_line
from ...wording import listed as first_of
from ..builders import GATE
from ..cells import arm_cell, verdict_cell
from ..gate_words import amount, by_more, deciding, held_against, interrupted, why_of, word
from ..quantity import digits, factor, interval, percent, ratio
from ..section import Cell, Column, Section, Table, Tone, table
from .short import CELL, MOST_REASONS, MOST_ROWS, in_short

TONES = {Answer.PASS: Tone.GOOD, Answer.INCONCLUSIVE: Tone.QUIET}
"""Of the outcome, where it does not speak against the candidate."""
JUDGED = (Answer.PASS, Answer.SLOWER, Answer.REGRESSED, Answer.UNEXPLAINED)
"""What a cell was judged to be."""
STAGE = Column("stage", spare=3)
STAGES = {
    Stage.SCREEN: "screen",
    Stage.CONFIRM: "confirm",
    Stage.CONFIRM_AGAIN: "confirm again",
}
ARM = Column("arm")
OUTCOME = Column("outcome")
COULD_SEE = Column("could see", number=True, spare=4)
THRESHOLD = Column("passes", number=True, spare=5)
"""What passes of each cell, where that is not the same for all."""
SCREEN = (
    Column("screen", number=True, spare_interval=6),
    Column("verdict", spare=5),
    STAGE,
)
CONFIRMATION = (
    Column("confirm", number=True, spare=7, spare_interval=6),
    Column("p", number=True, spare=2),
    Column("Holm", number=True, spare=1),
)
SECOND = (
    Column("again", number=True, spare=7, spare_interval=6),
    Column("p again", number=True, spare=2),
    Column("Holm again", number=True, spare=1),
)
"""Of the second confirmation, where there was one."""
FIGURE_COLUMNS = (
    Column("figure"),
    Column("base", number=True),
    Column("candidate", number=True),
    Column("change"),
    Column("how", prose=True, spare=1),
)


def gate_sections(gate: Gate) -> list[Section]:
    """The outcome in words, a small table, the first reasons; then every cell and every reason."""
    cells = sorted(gate.cells, key=_worst_first)
    shown, more_cells = in_short(cells, MOST_ROWS, "cell")
    reasons, more_reasons = in_short(_reasons(gate), MOST_REASONS, "reason")
    outcome = Section(
        id=GATE,
        title=_outcome(gate),
        tables=(_small_table(gate, shown),) if cells else (),
        conclusions=(*more_cells, *reasons, *more_reasons),
    )
    details = Section(
        id="gate-cells",
        title="All stages of every cell" if gate.second_run else "Both stages of every cell",
        tables=(_whole_table(gate, cells),),
        conclusions=tuple(_reasons(gate)),
    )
    return [outcome, details, *_figures(gate, cells)] if cells else [outcome]


def _figures(gate: Gate, cells: Sequence[GateCell]) -> list[Section]:
    """The table of figures; none where nothing was counted."""
    several = _several(gate)
    body = [
        [*_place(cell, several), *_figure_row(figure)] for cell in cells for figure in cell.figures
    ]
    if not body:
        return []
    columns = [Column("cell"), *([ARM] if several else []), *FIGURE_COLUMNS]
    return [
        Section(
            id="gate-figures",
            title="Figures of a call",
            tables=(table(columns, body),),
            lead="What noise cannot touch: deterministic figures by equality, counted ones by a "
            "threshold from the base's own processes. Only those that --figure names fail a gate.",
        )
    ]


def _figure_row(figure: ComparedFigure) -> list[Cell]:
    change = Cell(figure.change, tone=Tone.BAD if figure.is_regression else Tone.PLAIN)
    return [
        Cell(figure.name, tone=Tone.STRONG if figure.is_named else Tone.PLAIN),
        Cell(amount(figure.base, figure.unit)),
        Cell(amount(figure.candidate, figure.unit)),
        change,
        Cell(figure.reason or ("" if figure.is_deterministic else "counted")),
    ]


def _outcome(gate: Gate) -> str:
    """The gate's word, and what it rests on."""
    return f"{gate.answer}: {_why(gate)}"


def _why(gate: Gate) -> str:
    more = f"{by_more(gate)} for certain"
    cells = counted(len(gate.cells), "cell")
    match gate.answer:
        case Answer.PASS:
            return f"none of {cells} is slower than {held_against(gate)} {more}"
        case Answer.SLOWER:
            takes = "takes" if len(gate.confirmed) == 1 else "take"
            over = f"longer than on {held_against(gate)}"
            slower = f"{len(gate.confirmed)} of {cells} {takes} {over}"
            return f"{slower}, {more}{_worst(gate)}"
        case Answer.REGRESSED:
            names = {figure.name for cell in gate.regressed for figure in cell.regressions}
            grew = f"{first_of(sorted(names))} grew in {len(gate.regressed)} of {cells}"
            return f"{grew}; none is slower {more}"
        case Answer.UNEXPLAINED:
            are = "is" if len(gate.unexplained) == 1 else "are"
            return f"{len(gate.unexplained)} of {cells} {are} faster, and nothing explains it"
        case Answer.INCONCLUSIVE:
            return _inconclusive(gate)
        case Answer.INTERRUPTED:
            return interrupted(gate)
    if gate.unproven:
        wrong = [f"{arm} on {workload}" for arm, workload in gate.unproven]
        return f"not proven to compute the same network: {first_of(wrong)}"
    return f"failed: {first_of([str(key) for key in gate.failed])}"


def _inconclusive(gate: Gate) -> str:
    """What could not be judged; where all could, what is too noisy to pass."""
    if gate.unjudged or not gate.cells:
        candidates = first_of(list(gate.unjudged)) or "any candidate"
        return f"nothing could be judged of {candidates}"
    if gate.uncounted and not gate.blind:
        return f"no figure was decided that --figure {first_of(gate.uncounted)} names"
    cells = f"{len(gate.blind)} of {counted(len(gate.cells), 'cell')}"
    return f"{cells} could not have seen a slowdown of {percent(gate.policy.must_see)}"


def _worst(gate: Gate) -> str:
    """Which confirmed cell takes longest, and how long."""
    estimates = [(deciding(cell)[0], cell) for cell in gate.confirmed]
    estimate, cell = max(estimates, key=lambda pair: pair[0].value)
    bounds = interval(estimate.low, estimate.high, factor)
    where = f"{cell.arm} {cell.phase} of {cell.case}"
    return f"; the worst: {where}, {factor(estimate.value)}x {bounds} as long"


def outcome_line(gate: Gate) -> str:
    """The line that ends the command's output: `gate: `, the answer, counts."""
    if gate.answer is Answer.INTERRUPTED:
        return "gate: INTERRUPTED"
    unjudged = sum(gate.answer_of(cell) not in JUDGED for cell in gate.cells)
    counts = (
        f"{counted(len(gate.cells), 'cell')} screened, {len(gate.flagged)} flagged, "
        f"{len(gate.confirmed)} confirmed slower"
    )
    bar = f"{by_more(gate)} than {held_against(gate)} (family alpha {percent(FAMILY_ALPHA)})"
    rest = f", {len(gate.regressed)} with figures that grew" if gate.regressed else ""
    rest += f"; {unjudged} not judged" if unjudged else ""
    return one_line(f"gate: {gate.answer}: {counts} {bar}{rest}")


def _small_table(gate: Gate, cells: Sequence[GateCell]) -> Table:
    """Each cell by the stage that decided; arms have a column where there are several."""
    several = _several(gate)
    columns = [CELL, *([ARM] if several else [])]
    columns += [Column("to base", number=True, spare_interval=2), OUTCOME, COULD_SEE]
    own, again = _has_own_thresholds(gate), gate.second_run is not None
    columns += [*([THRESHOLD] if own else []), *([STAGE] if again else [])]
    body = []
    for cell in cells:
        ratio_cell = _ratio_cell(*deciding(cell))
        row = [*_place(cell, several), ratio_cell, _answer(gate, cell), _seen(cell)]
        row += [Cell(percent(cell.theta))] if own else []
        row += [Cell(STAGES[cell.stage])] if again else []
        body.append(row)
    return table(columns, body)


def _whole_table(gate: Gate, cells: Sequence[GateCell]) -> Table:
    several, again = _several(gate), gate.second_run is not None
    columns = [Column("cell"), *([ARM] if several else []), *SCREEN, *CONFIRMATION]
    columns += [*(SECOND if again else ()), OUTCOME, COULD_SEE]
    body = []
    for cell in cells:
        verdict = verdict_cell(word(cell.finding), cell.finding.reason)
        body.append(
            [
                *_place(cell, several),
                _ratio_cell(cell.screen, cell.finding),
                verdict,
                Cell(STAGES[cell.stage]),
                *_confirmation(cell.confirmation),
                *(_confirmation(cell.second) if again else []),
                _answer(gate, cell),
                _seen(cell),
            ]
        )
    return table(columns, body)


def _has_own_thresholds(gate: Gate) -> bool:
    return len({cell.theta for cell in gate.cells}) > 1


def _several(gate: Gate) -> bool:
    return len({cell.arm for cell in gate.cells}) > 1


def _place(cell: GateCell, several: bool) -> list[Cell]:
    arm = [arm_cell(cell.arm, cell.key.arm.backend)] if several else []
    return [Cell(f"{cell.case} {cell.phase}"), *arm]


def _ratio_cell(estimate: Estimate, finding: Finding) -> Cell:
    """Without the interval where the reason overrules it."""
    bounds = "" if finding.overruled else interval(estimate.low, estimate.high)
    return Cell(ratio(estimate.value), bounds)


def _answer(gate: Gate, cell: GateCell) -> Cell:
    answer = gate.answer_of(cell)
    return Cell(answer, tone=TONES.get(answer, Tone.BAD))


def _seen(cell: GateCell) -> Cell:
    return Cell("" if cell.outcome.overruled else percent(cell.smallest_difference))


def _confirmation(confirmation: Confirmation | None) -> list[Cell]:
    """Ratio, p and Holm's threshold; without p where something overrules it."""
    if confirmation is None:
        return [Cell()] * 3
    estimate = _ratio_cell(confirmation.estimate, confirmation.finding)
    if confirmation.finding.overruled:
        return [estimate, Cell(), Cell()]
    step = confirmation.step
    return [estimate, Cell(digits(step.p, 2)), Cell(digits(step.threshold, 2))]


def _worst_first(cell: GateCell) -> tuple[bool, bool, float]:
    value = cell.screen.value
    return (
        cell.outcome.verdict != Verdict.CONFIRMED,
        not cell.flagged,
        -value if value == value else float("inf"),
    )


def _reasons(gate: Gate) -> list[str]:
    """What the table leaves open, in words: every reason, what became slower or faster.

    What speaks against a candidate comes before what does not.
    """
    cells_of: dict[tuple[str, Answer, str], list[str]] = {}
    for cell in gate.cells:
        if why := why_of(gate, cell):
            key = cell.arm, gate.answer_of(cell), why
            cells_of.setdefault(key, []).append(f"{cell.case} {cell.phase}")
    ordered = sorted(cells_of.items(), key=lambda item: item[0][1] is Answer.PASS)
    return [
        one_line(f"{answer}: {arm} ({', '.join(cells)}): {why}")
        for (arm, answer, why), cells in ordered
    ]
