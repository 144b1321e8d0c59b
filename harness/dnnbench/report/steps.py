"""Where the time of a training step goes: four steps by difference, and pieces that could run alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..measure.statistics import (
    STEPS,
    Estimate,
    Pairs,
    Visits,
    absolute_time,
    second_pairs,
    time_difference,
    training_steps,
)
from ..run.measured import CASE, Measured

PIECES = {"loss_alone": "loss calculation", "update_alone": "weight update"}
"""Phase that runs a piece alone, and the step of training that the piece is."""


@dataclass(frozen=True)
class Steps:
    """The steps of training of one arm in one case, in seconds; a difference may be negative."""

    workload: str
    batch_size: int
    arm: str
    backend: str
    seconds: dict[str, Estimate]
    """By name of `STEPS`, in their order; all four."""
    whole: Estimate
    """A training step, timed as one."""


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
    """Seconds that the whole step saves on it by fusing, paired by round; may be negative."""


def steps_of(run: Measured) -> list[Steps]:
    """The four steps of every arm that ran all the phases they need."""
    found = []
    for cell, phases, dropped in _arms(run):
        seconds = training_steps(phases, dropped)
        if len(seconds) == len(STEPS):
            whole = absolute_time(phases["train_step"], dropped)
            found.append(Steps(cell.workload, int(cell.batch_size), cell.arm, cell.backend, seconds, whole))
    return found


def pieces_of(run: Measured) -> list[Piece]:
    """Every piece that ran alone in an arm that ran the phases around it too."""
    return [
        Piece(
            cell.workload,
            int(cell.batch_size),
            cell.arm,
            cell.backend,
            step,
            *_alone(phases, phase, step, dropped),
        )
        for cell, phases, dropped in _arms(run)
        for phase, step in PIECES.items()
        if {phase, *STEPS[step]} <= set(phases)
    ]


def _alone(
    phases: dict[str, Visits], phase: str, step: str, dropped: np.ndarray
) -> tuple[Estimate, Estimate, Estimate]:
    outer, inner = (phases[name] for name in STEPS[step])
    inside = _as_visits(second_pairs(outer, inner))
    return (
        absolute_time(phases[phase], dropped),
        time_difference(outer, inner, dropped),
        time_difference(phases[phase], inside, dropped),
    )


def _as_visits(pairs: Pairs) -> Visits:
    """Differences in the place of times, so that a further difference can be taken in the same rounds."""
    nothing = np.zeros_like(pairs.round)
    return Visits(pairs.generation, pairs.round, nothing, pairs.difference, nothing)


def _arms(run: Measured) -> Iterator[tuple]:
    """(a cell, the arm's visits by phase, rounds to drop) for each case and arm, without failed cells."""
    for (*case, _), cells in run.cells.groupby([*CASE, "arm"], sort=False):
        good = [cell for cell in cells.itertuples() if cell.cell_id in run.visits and cell.status != "failed"]
        if good:
            yield good[0], {cell.phase: run.visits[cell.cell_id] for cell in good}, run.dropped[tuple(case)]
