"""Where the time of a training step goes: four steps by difference, and pieces that could run
alone.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..execution.measured import Measured
from ..protocol.keys import ProgramKey
from ..spec.phases import Phase
from ..stats.estimates import (
    STEPS,
    Estimate,
    Pairs,
    Visits,
    absolute_time,
    second_pairs,
    time_difference,
    training_steps,
)
from ..stats.verdict import too_wide
from ..store.run_rows import CellRow
from .quantity import MISSING

STEP_OF_PIECE = {Phase.LOSS_ALONE: "loss calculation", Phase.UPDATE_ALONE: "weight update"}
"""Phase that runs a piece alone, and the step of training that the piece is."""
FUSED = {
    "loss calculation": "the loss is faster than its forward pass alone: fused",
    "backpropagation": "the gradients are faster than their loss alone: fused",
    "weight update": "the whole step is faster than its gradients alone: fused",
}
"""What it means that a difference lies below zero for certain."""
NO_FIGURE = Estimate(math.nan, math.nan, math.nan, 0)


@dataclass(frozen=True)
class Steps:
    """The steps of training of one arm in one case, in seconds.

    A difference may be negative, and is then no figure to show.

    clean: whether any round was undisturbed; where none was, the whole has no interval.
    A difference is NaN where no round was clean, where the generations of its phases lie too far
    apart, and where it is more than the whole.
    """

    workload: str
    batch_size: int
    arm: str
    backend: str
    seconds: dict[str, Estimate]
    """By name of `STEPS`, in their order; all four."""
    whole: Estimate
    """A training step, timed as one."""
    clean: bool

    @property
    def fused(self) -> dict[str, str]:
        """By step, that it costs less than nothing for certain: the framework fused it with what
        comes before.
        """
        return {name: FUSED[name] for name, step in self.seconds.items() if step.high < 0}

    @property
    def gap(self) -> float:
        """What the four steps together lack of the whole, as a share of it; NaN where one is."""
        return 1 - sum(step.value for step in self.seconds.values()) / self.whole.value

    @property
    def stacked_s(self) -> dict[str, float]:
        """Seconds of parts that add up to the whole, none below zero: a step that costs less is
        part of the one before.
        """
        parts: list[tuple[str, float]] = []
        for name, step in self.seconds.items():
            parts.append((name, step.value))
            while len(parts) > 1 and parts[-1][1] < 0:
                _, less_s = parts.pop()
                name_before, before_s = parts.pop()
                parts.append((name_before, before_s + less_s))
        return dict(parts)


@dataclass(frozen=True)
class Piece:
    """A piece of the step run alone, beside what it takes inside the whole."""

    workload: str
    batch_size: int
    arm: str
    backend: str
    name: str
    alone: Estimate
    inside: Estimate
    saved: Estimate
    """Seconds that the whole step saves on it by fusing, paired by round; negative where the piece
    alone is cheaper.
    """


def steps_of(run: Measured) -> list[Steps]:
    """The four steps of every arm that ran all the phases they need, in rounds that count."""
    rows = []
    for cell, phases, dropped in _arms(run):
        seconds = training_steps(phases, dropped)
        if len(seconds) == len(STEPS) and _have_values(*seconds.values()):
            rows.append(_steps(run, cell, phases, dropped, seconds))
    return rows


def _steps(
    run: Measured,
    cell: CellRow,
    phases: dict[Phase, Visits],
    dropped: np.ndarray,
    seconds: dict[str, Estimate],
) -> Steps:
    """seconds: of each step by difference, whatever speaks against it."""
    clean = cell.case not in run.spoilt
    whole = _shown(absolute_time(phases[Phase.TRAIN_STEP], dropped), clean)
    times = {phase: absolute_time(visits, dropped) for phase, visits in phases.items()}
    apart = {phase for phase, time in times.items() if too_wide(time)}
    shown = {}
    for name, step in seconds.items():
        inner = STEPS[name][1]
        disturbed = not clean and inner is not None
        doubtful = disturbed or apart & {*STEPS[name]} or step.value > whole.value
        shown[name] = NO_FIGURE if doubtful else _shown(step, clean)
    return Steps(cell.workload, cell.batch_size, cell.arm, cell.backend, shown, whole, clean)


def pieces_of(run: Measured) -> list[Piece]:
    """Every piece that ran alone in an arm that ran the phases around it too."""
    rows = []
    for cell, phases, dropped in _arms(run):
        for phase in STEP_OF_PIECE:
            piece = _piece(run, cell, phases, dropped, phase)
            rows += [piece] if piece is not None else []
    return rows


def _piece(
    run: Measured, cell: CellRow, phases: dict[Phase, Visits], dropped: np.ndarray, phase: Phase
) -> Piece | None:
    """None where the arm did not run the phases around it, or met none but contended rounds."""
    step = STEP_OF_PIECE[phase]
    outer, inner = STEPS[step]
    if inner is None or not {phase, outer, inner} <= set(phases):
        return None
    clean = cell.case not in run.spoilt
    alone = _alone(phases[phase], phases[outer], phases[inner], dropped)
    times = [_shown(time, clean) for time in alone]
    if not _have_values(*times):
        return None
    return Piece(cell.workload, cell.batch_size, cell.arm, cell.backend, step, *times)


def _have_values(*estimates: Estimate) -> bool:
    """Whether each has one: an arm that is visited seldom may have met contended rounds alone."""
    return all(math.isfinite(estimate.value) for estimate in estimates)


def difference_text(difference: Estimate, show: Callable[[float], str]) -> str:
    """A difference as a figure; one below zero as 'fused' if that is certain, else as what it is at
    most.
    """
    if not difference.value < 0:
        return show(difference.value)
    if difference.high < 0:
        return "fused"
    return f"≤ {show(difference.high)}" if difference.high > 0 else MISSING


def _shown(estimate: Estimate, clean: bool) -> Estimate:
    """Without its interval where no round was clean."""
    return estimate if clean else replace(estimate, low=math.nan, high=math.nan)


def _alone(
    piece: Visits, outer: Visits, inner: Visits, dropped: np.ndarray
) -> tuple[Estimate, Estimate, Estimate]:
    """(the piece run alone, the same inside the whole step, what the whole saves on it).

    outer, inner: of the phases that end with the piece and before it.
    """
    inside = _as_visits(second_pairs(outer, inner))
    return (
        absolute_time(piece, dropped),
        time_difference(outer, inner, dropped),
        time_difference(piece, inside, dropped),
    )


def _as_visits(pairs: Pairs) -> Visits:
    """Differences in the place of times, so that a further difference can be taken in the same
    rounds.
    """
    nothing = np.zeros_like(pairs.round)
    return Visits(pairs.generation, pairs.round, nothing, pairs.difference, nothing)


def _arms(run: Measured) -> Iterator[tuple[CellRow, dict[Phase, Visits], np.ndarray]]:
    """(a cell, the arm's visits by phase, rounds to drop) for each case and arm, without failed
    cells.
    """
    programs: dict[ProgramKey, list[CellRow]] = {}
    for cell in run.cells:
        good = programs.setdefault(cell.key.program, [])
        if cell.cell_id in run.visits and cell.status != "failed":
            good.append(cell)
    for key, cells in programs.items():
        if cells:
            phases = {cell.phase: run.visits[cell.cell_id] for cell in cells}
            yield cells[0], phases, run.dropped[key.case]
