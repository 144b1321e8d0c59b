"""Laws of what a step is made of: answers that no batch keeps, pieces, and masks."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..agreement.drawn import compare_draws
from ..agreement.keys import Group, TensorKey, outputs_of
from ..agreement.thinned import Draw, read_draws, repeated, share_off, worst_off
from ..protocol.batch import Batch
from ..protocol.program import Program, Trainable, trainable
from ..spec.phases import PIECES, Phase
from .trial import Arrays, LawBroken, Trial, close, same, telling

ROUNDING = 2.0**-7
"""Coarser than every type's rounding: what a kept value may be off, for the scale of masks."""


def no_answer_is_kept_by_its_batch(trial: Trial) -> None:
    """After a step each phase gives another answer of the same placed batch."""
    program = trial.make_trainable()
    placed = program.put(trial.batches[0])
    phases = [phase for phase in trial.phases if phase is not Phase.TRAIN_STEP]
    before = {phase: telling(program.get(getattr(program, phase)(placed))) for phase in phases}
    program.wait(program.train_step(placed))
    for phase in phases:
        if np.array_equal(before[phase], telling(program.get(getattr(program, phase)(placed)))):
            raise LawBroken(f"{phase} gives the same before and after a step: an answer is kept")


CALLS = 150
"""A fault in 2 % of calls shows in so many with a chance of 95 %: 1 - 0.98^150."""
INFERENCES = 300
"""Beyond what a compiler that watches calls waits for, and a count in a byte."""


def gradients_repeat(trial: Trial) -> None:
    """150 gradient passes over two batches in turn give the same of each, to the bit on one thread
    of a CPU.
    """
    program = trial.make_trainable()
    _repeats(program, Phase.GRADIENTS, trial.batches[:2], CALLS, "the same gradient pass")


def inference_repeats(trial: Trial) -> None:
    """300 inferences from two batches in turn give the same of each, to the bit on one thread of
    a CPU.
    """
    _repeats(trial.make(), Phase.INFER, trial.batches[:2], INFERENCES, "the same inference")


def _repeats(
    program: Program, phase: Phase, batches: Sequence[Batch], calls: int, what: str
) -> None:
    """Two batches, because an answer that comes a call late is right where there is but one."""
    placed, facts = [program.put(batch) for batch in batches], program.facts()
    exact = facts["threads"] == 1 and str(facts["device"]).lower().startswith("cpu")
    call = getattr(program, phase)
    first = [program.get(call(each)) for each in placed]
    for i in range(calls - len(placed)):
        turn = i % len(placed)
        again = program.get(call(placed[turn]))
        if exact:
            same(first[turn], again, f"{what} gave another")
            continue
        for name, array in first[turn].items():
            close(array, again[name], f"{what} gave another {name}:")


def pieces_do_what_the_step_does(trial: Trial) -> None:
    """`loss_alone` gives the loss of the batch that its outputs were stored of, and `update_alone`
    changes the weights as a step does, each time again; of the pieces that there are.
    """
    program = trial.make_trainable()
    for batch in trial.batches[:2]:
        placed = program.put(batch)
        pieces = program.pieces(placed)
        if unknown := sorted(set(pieces) - set(PIECES)):
            raise LawBroken(f"pieces() names {', '.join(unknown)}; there are {', '.join(PIECES)}")
        if Phase.LOSS_ALONE in pieces:
            alone = program.get(pieces[Phase.LOSS_ALONE]())["loss"]
            close(program.get(program.loss(placed))["loss"], alone, "loss_alone gives another:")
        if Phase.UPDATE_ALONE in pieces:
            _update_as_a_step(program, placed, pieces[Phase.UPDATE_ALONE])


def _update_as_a_step(program: Trainable, placed: object, update: object) -> None:
    assert callable(update)
    snapshot, start = program.snapshot(), program.weights()
    program.wait(update())
    moved = _moved(start, program)
    after_one = program.weights()
    program.wait(update())
    still = _moved(after_one, program)
    program.restore(snapshot)
    program.wait(program.train_step(placed))
    for name, array in _moved(start, program).items():
        close(array, moved[name], f"update_alone moves {name} otherwise than a step:")
        if np.any(array) and not np.any(still[name]):
            raise LawBroken(f"a second update_alone leaves {name} where it is")
    program.restore(snapshot)


def _moved(start: Arrays, program: Trainable) -> dict[str, np.ndarray]:
    return {name: array - start[name] for name, array in program.weights().items()}


def masks_are_drawn_as_they_are_meant(trial: Trial) -> None:
    """Masks that the framework draws keep the share that they should, kept values are
    x / (1 - rate), the backward pass reads the forward pass's mask, each step draws anew,
    and another seed draws others.
    """
    program, batch = trial.make_trainable(), trial.batches[0]
    free = program.put(Batch(batch.inputs, batch.targets))
    _same_mask_backward(program, batch, free, trial)
    draws = [_draw(program, batch, free, trial) for _ in range(8)]
    for name in draws[0]:
        _no_fault(name, [draw[name] for draw in draws])
    if trial.reseeded is not None:
        first = _first_draw(trial.make_trainable(), batch, trial)
        other = _first_draw(trainable(trial.reseeded(trial.weights)), batch, trial)
        if any(repeated(first[name], other[name]) for name in first):
            raise LawBroken("another seed draws the same mask")


SHARE_STEPS = 16
"""A million elements of each dropout, and five hundred pairs of rows: one dropped element of a
hundred that is kept shows.
"""


def masks_keep_their_share(trial: Trial) -> None:
    """Of a million elements the framework's own masks keep the share that they should; steps, rows
    and nodes draw masks that know nothing of each other.
    """
    assert trial.workload is not None
    program, batch = trial.make_trainable(), trial.batches[0]
    free = program.put(Batch(batch.inputs, batch.targets))
    steps = [_draw(program, batch, free, trial) for _ in range(SHARE_STEPS)]
    draws = {name: [step[name] for step in steps] for name in steps[0]}
    keys = {name: TensorKey(Group.OUTPUTS, name) for name in draws}
    for finding in compare_draws(draws, keys):
        if not finding.ok:
            raise LawBroken(f"{finding.key.name}: {finding.reason}")


def _first_draw(program: Trainable, batch: Batch, trial: Trial) -> dict[str, Draw]:
    return _draw(program, batch, program.put(Batch(batch.inputs, batch.targets)), trial)


def _draws(result: Arrays, batch: Batch, trial: Trial) -> dict[str, Draw]:
    assert trial.workload is not None
    values = {**batch.inputs, **outputs_of(result)}
    return read_draws(trial.workload.model, values, ROUNDING)


def _draw(program: Trainable, batch: Batch, free: object, trial: Trial) -> dict[str, Draw]:
    """What a step drew."""
    return _draws(program.get(program.train_step(free)), batch, trial)


def _no_fault(name: str, draws: Sequence[Draw]) -> None:
    ratio, share, count = share_off(list(draws), 1)
    if not ratio <= 1:
        raise LawBroken(f"{name} keeps {share:.1%} of {count}, expected {1 - draws[0].rate:.0%}")
    if not worst_off(list(draws)) <= 1:
        raise LawBroken(f"kept values of {name} are not x / (1 - rate)")
    if any(repeated(one, two) for one, two in pairwise(draws)):
        raise LawBroken(f"a step has the mask of {name} that the one before it had")


def _same_mask_backward(program: Trainable, batch: Batch, free: object, trial: Trial) -> None:
    """Gradients under a drawn mask are those under the same one from outside."""
    drawn = program.get(program.gradients(free))
    masks = {name: draw.mask for name, draw in _draws(drawn, batch, trial).items()}
    outside = program.get(program.gradients(program.put(Batch(batch.inputs, batch.targets, masks))))
    largest = max(float(np.abs(array).max(initial=0)) for array in outside.values())
    for name, array in outside.items():
        if float(np.abs(array - drawn[name]).max(initial=0)) > ROUNDING * largest:
            raise LawBroken(f"{name} is another than under the same mask from outside")
