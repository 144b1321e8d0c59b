"""What a program makes of a batch that is not alone: others came before it, or come behind it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.phases import Phase
from .keys import Tensors
from .observing import alike_in_part, fill
from .trace import SAME, Part, Trace, answer_of, apart, copy_of, settled


def lent(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """The caller's arrays are filled with zeros after `put`."""
    lent = copy_of(batches[0])
    placed = program.put(lent)
    for array in (*lent.inputs.values(), lent.targets, *lent.masks.values()):
        array.fill(0)
    phase = Phase.LOSS if Phase.LOSS in phases else phases[-1]
    again = program.put(copy_of(batches[0]))
    wrong, right = answer_of(program, phase, placed), answer_of(program, phase, again)
    if apart(wrong, right) > SAME:
        yield Trace(Part.PUT, "the caller's arrays in place of a copy: they change after it")


LATER = 8
"""So many batches are placed behind one that stays in use."""


def overwritten(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """A batch that is used again when others of its size have been placed."""
    phase = Phase.LOSS if Phase.LOSS in phases else phases[-1]
    placed = program.put(copy_of(batches[0]))
    before = settled(program, phase, placed)
    others = alike_in_part(batches[0])
    for k in range(LATER):
        program.put(others[k % len(others)])
    after = settled(program, phase, placed)
    if before and after and apart(after, before) > SAME:
        yield Trace(Part.PUT, "a placed batch that changes when others are placed behind it")


def taken(
    build: Callable[[], Program],
    program: Program,
    batches: Sequence[Batch],
    phases: list[Phase],
) -> Iterator[Trace]:
    """A batch behind one that is like it in part, or has its inputs, and comes in its arrays, in
    a program of their own.

    Where `program` answers alike of the batch alone, or any batch is answered so, it is not the
    placing that takes one for another.
    """
    batch = batches[0]
    rows = np.arange(batch.size)
    others = [(Phase.INFER, like, "a batch") for like in alike_in_part(batch)]
    turned = replace(batch, targets=batch.targets[np.roll(rows, 1)])
    if not np.array_equal(turned.targets, batch.targets):
        others.append((Phase.LOSS, turned, "targets"))
    placed = program.put(copy_of(batch))
    for phase, other, what in others:
        if phase not in phases:
            continue
        alone = answer_of(program, phase, placed)
        pair = build()
        try:
            before, unlike = _answers_behind(other, pair, phase, batches)
        finally:
            pair.close()
        if before and apart(alone, before) > 0 and apart(unlike, before) > 0:
            yield Trace(Part.PUT, f"{what} taken for those placed before, like it in part")
            return


def _answers_behind(
    other: Batch, program: Program, phase: Phase, batches: Sequence[Batch]
) -> tuple[Tensors, Tensors]:
    """What is answered of another batch, where the first one behind it, in its arrays, is answered
    alike, else nothing; and what of the last one.
    """
    lent = copy_of(other)
    first = program.put(lent)  # which stays: what is kept by it is not handed to the second
    before = answer_of(program, phase, first)
    fill(lent, batches[0])
    if apart(answer_of(program, phase, program.put(lent)), before) > 0:
        return {}, {}
    return before, answer_of(program, phase, program.put(copy_of(batches[-1])))


def odd(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """Three rows by themselves, and with a fourth: what is inferred of them is the same, as it is
    of two.
    """
    if batches[0].size <= ODD or Phase.INFER not in phases:
        return
    # All stay: what is kept by a batch that is gone may be handed to one in its place.
    sizes = (batches[0].size, ODD, EVEN)
    placed = [program.put(batches[0].rows(np.arange(size))) for size in sizes]
    whole, odd, even = (answer_of(program, Phase.INFER, each) for each in placed)
    if apart(odd, _first(ODD, whole)) > SAME >= apart(even, _first(EVEN, whole)):
        yield Trace(Phase.INFER, "another answer where the number of rows is odd")


ODD, EVEN = 3, 2


def _first(rows: int, answer: Tensors) -> Tensors:
    return {key: array[:rows] for key, array in answer.items()}


def padded(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """Means over three rows are not those over the same three and the last once more."""
    if batches[0].size <= ODD or Phase.GRADIENTS not in phases:
        return
    of_rows = ([0, 1, 2], [0, 1, 2, 2], [0, 1])
    placed = [program.put(batches[0].rows(np.array(rows))) for rows in of_rows]
    means = []
    for each in placed:
        answer = answer_of(program, Phase.GRADIENTS, each).items()
        means.append({key: array for key, array in answer if not key.by_example})
    three, four, two = means
    if apart(three, two) > SAME and apart(three, four) <= SAME:
        yield Trace(Part.PUT, "batches padded with their last example, which means count")


def behind_a_larger(
    program: Program, batches: Sequence[Batch], phases: list[Phase]
) -> Iterator[Trace]:
    """Three rows, and the same three once four have been there: where they were placed before, and
    placed anew.
    """
    if batches[0].size <= ODD:
        return
    three = batches[0].rows(np.arange(ODD))
    placed = program.put(three)
    before = [settled(program, phase, placed) for phase in phases]
    larger = program.put(copy_of(batches[0]))
    for phase in phases:
        program.wait(getattr(program, phase)(larger))
    anew = program.put(three)
    for phase, alone in zip(phases, before, strict=True):
        new = settled(program, phase, anew)
        if alone and new and apart(new, alone) > SAME:
            old = answer_of(program, phase, placed)
            part = Part.PUT if apart(old, alone) <= SAME else phase
            yield Trace(part, "another answer of a batch once a larger one has been there")
            return
