"""The four steps of training by difference, and the pieces that could run alone."""

from dataclasses import asdict

from ...protocol.keys import CaseKey
from ...stats.estimates import STEPS
from ..builders import Builder
from ..cells import about_case, arm_cell, case_cell, estimate_cell, figure
from ..charts import STEP_OPACITY
from ..evidence import Evidence
from ..pictures import StepsBar, StepsChart
from ..quantity import MISSING, interval, milliseconds, percent
from ..section import Cell, Column, Section, Table, table
from ..steps import Piece, Steps, difference_text

HEADINGS = ("forward", "loss", "backprop.", "update")
LEAD = (
    "Differences of nested programs, taken in seconds within the same round: they explain one arm, "
    "they do not rank arms. One below zero is no figure: fused where that is certain, else what it "
    "is at most; its bar is part of the step before. Gap: what "
    "the four together lack of the whole, which is timed by itself."
)
ALONE = (
    "What a framework could run by itself, beside what the same piece takes inside the whole step. "
    "Saved: what fusing spares; negative where the piece alone is cheaper."
)
NO_STEPS = "No arm ran all of forward, loss, gradients and train_step."


def training_steps(evidence: Evidence) -> Section | None:
    """None for a run without a cell."""
    if not evidence.cases:
        return None
    steps, pieces = _ranked(evidence), evidence.pieces
    return Section(
        id="steps",
        title="The four steps of training",
        sentences=tuple(_longest(steps)) or (NO_STEPS,),
        tables=tuple(drawn for drawn in (_steps_table(steps), _pieces_table(pieces)) if drawn.rows),
        charts=_charts(evidence),
        key=tuple(zip(STEPS, STEP_OPACITY, strict=True)),
        doubts=tuple(evidence.fused),
        lead=LEAD,
        brief="ms, by difference; then what could run alone",
        data={
            "steps": [asdict(one) | {"fused": one.fused} for one in evidence.steps],
            "pieces": [asdict(piece) for piece in pieces],
        },
    )


def _ranked(evidence: Evidence) -> list[Steps]:
    """Case by case, the fastest first."""
    cases = {(case.workload, case.batch_size): i for i, case in enumerate(evidence.cases)}
    return sorted(
        evidence.steps,
        key=lambda steps: (cases[steps.workload, steps.batch_size], steps.whole.value),
    )


def _longest(steps: list[Steps]) -> list[str]:
    """Which step takes most of the fastest arm's, case by case."""
    fastest: dict[str, Steps] = {}
    for one in steps:
        fastest.setdefault(f"{one.workload}/{one.batch_size}", one)
    sentences = []
    for case, one in fastest.items():
        name, part_s = max(one.stacked_s.items(), key=lambda item: item[1])
        if part_s > 0:
            share = percent(part_s / sum(one.stacked_s.values()))
            sentences.append(f"{case}: {name} takes {share} of {one.arm}'s step")
    return sentences


def _steps_table(steps: list[Steps]) -> Table:
    columns = (
        Column("workload", once=True),
        Column("arm"),
        *(Column(heading, number=True, spare_interval=1) for heading in HEADINGS),
        Column("whole step", number=True, spare_interval=1),
        Column("gap", number=True, spare=1),
    )
    return table(columns, [_steps_row(one) for one in steps])


def _steps_row(steps: Steps) -> tuple[Cell, ...]:
    differences = []
    for step in steps.seconds.values():
        bounds = interval(step.low, step.high, milliseconds) if step.value >= 0 else ""
        differences.append(Cell(difference_text(step, milliseconds), bounds, value=step.value))
    return (
        case_cell(steps.workload, steps.batch_size),
        arm_cell(steps.arm, steps.backend),
        *differences,
        estimate_cell(steps.whole, milliseconds),
        figure(steps.gap, percent),
    )


def _pieces_table(pieces: list[Piece]) -> Table:
    columns = (
        Column("workload", once=True),
        Column("arm"),
        Column("piece"),
        *(Column(heading, number=True) for heading in ("alone", "inside", "saved")),
    )
    return table(
        columns, [_piece_row(piece) for piece in pieces], title="Pieces run alone", note=ALONE
    )


def _piece_row(piece: Piece) -> tuple[Cell, ...]:
    inside = interval(piece.inside.low, piece.inside.high, milliseconds)
    return (
        case_cell(piece.workload, piece.batch_size),
        arm_cell(piece.arm, piece.backend),
        Cell(piece.name),
        estimate_cell(piece.alone, milliseconds),
        Cell(
            difference_text(piece.inside, milliseconds), inside if piece.inside.value >= 0 else ""
        ),
        _saved(piece),
    )


def _saved(piece: Piece) -> Cell:
    if piece.inside.value >= 0:
        return estimate_cell(piece.saved, milliseconds)
    return Cell("all of it" if piece.inside.high < 0 else MISSING)


def _charts(evidence: Evidence) -> tuple[StepsChart, ...]:
    """One for each case: where the time of a training step goes; without arms whose generations lie
    too far apart.
    """
    bars: dict[CaseKey, list[StepsBar]] = {}
    for steps in evidence.steps:
        parts_s = steps.stacked_s
        if all(part_s >= 0 for part_s in parts_s.values()):
            places = {list(STEPS).index(name): part_s for name, part_s in parts_s.items()}
            bar = StepsBar(steps.arm, steps.backend, places, steps.whole.value)
            bars.setdefault(CaseKey(steps.workload, steps.batch_size), []).append(bar)
    return tuple(
        StepsChart(
            f"{case.workload}, batch {case.batch_size}", tuple(of_case), about=about_case(case)
        )
        for case, of_case in bars.items()
    )


BUILDER = Builder(30, training_steps)
