"""What an arm under test goes through before it is observed, and which must leave no trace."""

from collections.abc import Collection, Sequence
from typing import Any

from ..protocol.program import Program, trainable
from ..spec.phases import PHASES, Phase

RESTORES = 2
"""A snapshot must be good for the second time, too."""


def rehearse(program: Program, placed: Sequence[Any], phases: Collection[Phase]) -> None:
    """A step on the last batch, and its own weights loaded again; then a step, each phase on the
    first batch, and all of it taken back; twice.

    The same placed batches are observed after it. An answer that is kept by its batch is one of
    other weights, and what `load` and `restore` do not bring back (weights, slots, how many steps
    there were, running statistics) shows in the steps that are observed; so do weights that were
    given out and moved with the step.
    """
    passes = [phase for phase in PHASES if phase in phases and phase is not Phase.TRAIN_STEP]
    if Phase.TRAIN_STEP not in phases:
        return _pass(program, placed[0], passes)
    trained = trainable(program)
    start = trained.weights() | trained.model_state()
    trained.wait(trained.train_step(placed[-1]))
    trained.load(start)
    snapshot = trained.snapshot()
    for _ in range(RESTORES):
        trained.wait(trained.train_step(placed[-1]))
        _pass(trained, placed[0], passes)
        trained.restore(snapshot)
        passes = []  # once is enough for an answer to be kept


def _pass(program: Program, placed: Any, phases: Collection[Phase]) -> None:
    for phase in phases:
        program.wait(getattr(program, phase)(placed))
