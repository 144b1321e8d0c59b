"""A law of several programs in one process: none knows of another."""

import numpy as np

from ..agreement.keys import outputs_of
from ..protocol.program import Program, trainable
from .trial import Arrays, LawBroken, Trial, close, restorer, standing


def programs_do_not_share(trial: Trial) -> None:
    """The first program of a process, a second one beside it and one after both compute the same,
    step by step; one of other weights computes something else, and leaves them where they were.
    """
    first = trial.make()
    alone = _worked(first, trial)
    beside = trial.make()
    _alike(alone, _worked(beside, trial), "a second program, beside the first, gives another")
    back, ended = restorer(first, trial), _left(first, trial)
    other = trial.build({name: array / 2 for name, array in trial.weights.items()})
    _another(alone, _worked(other, trial), trial)
    restorer(other, trial)()
    for program in (first, beside):
        _alike(ended, _left(program, trial), "a program of other weights changed another's")
    back()
    _alike(ended, _left(first, trial), "beside a program of other weights, restore gives another")
    for program in (first, beside, other):
        program.close()
    _alike(alone, _worked(trial.make(), trial), "a program after others gives another")


def _worked(program: Program, trial: Trial) -> dict[str, np.ndarray]:
    """What every phase gives of the first batch, and what a step on each batch leaves."""
    placed = [program.put(batch) for batch in trial.batches[:2]]
    seen: dict[str, np.ndarray] = {}
    for phase in trial.phases:
        arrays = program.get(getattr(program, phase)(placed[0]))
        seen |= {f"{name} of {phase}": array for name, array in arrays.items()}
    if trial.trains:
        trained = trainable(program)
        trained.wait(trained.train_step(placed[1]))
        seen |= {f"{name} after two steps": a for name, a in standing(program, trial).items()}
    return seen


def _left(program: Program, trial: Trial) -> dict[str, np.ndarray]:
    """What the program infers, and everything that it holds."""
    inferred = program.get(program.infer(program.put(trial.batches[0])))
    return {**standing(program, trial), **outputs_of(inferred)}


def _another(first: Arrays, other: Arrays, trial: Trial) -> None:
    """Each phase gives something else of other weights."""
    for phase in trial.phases:
        names = [name for name in first if name.endswith(f" of {phase}")]
        if all(np.array_equal(first[name], other[name]) for name in names):
            raise LawBroken(f"{phase} of a program of other weights gives what the first one gave")


def _alike(wanted: Arrays, seen: Arrays, what: str) -> None:
    for name, array in wanted.items():
        if np.issubdtype(array.dtype, np.floating):
            close(array, seen[name], f"{what} {name}:")
        elif not np.array_equal(array, seen[name]):
            raise LawBroken(f"{what} {name}")
