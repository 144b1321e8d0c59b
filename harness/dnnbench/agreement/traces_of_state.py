"""What a program keeps: of weights, statistics, slots and answers, from one call to the next."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program, Trainable, trainable
from ..spec.phases import Phase
from .keys import Group, Tensors
from .observing import alike_in_part
from .trace import (
    SAME,
    TIMES,
    Arrays,
    Held,
    Part,
    Trace,
    answer_of,
    apart,
    copies,
    copy_of,
    everything_in,
)

WRITTEN = 1e-5
"""Answers of one batch, placed twice, do not lie so far apart."""


def second(
    plain: Callable[[], Program], build: Callable[[], Program], batch: Batch
) -> Iterator[Trace]:
    """Another program of the process: it begins as the first one did, stays where it is while that
    one takes a step, and takes the same step, from the weights of `build`.
    """
    one, other = trainable(plain()), trainable(plain())
    try:
        if begun := _unlike(everything_in(other), everything_in(one)):
            yield Trace(Part.BUILD, f"a second program begins with other {begun}")
            return
        weights = _weights_of(trainable(build()))
        for program in (one, other):
            program.load(copies(weights))
        start = everything_in(one)
        first = _step_on(one, batch)
        if dragged := _unlike(everything_in(other), start):
            yield Trace(Part.BUILD, f"two programs share {dragged}")
            return
        others = _step_on(other, batch)
        if not _unlike(others, first, start):
            return
        # What is wrong at random, or behind a load, differs from itself, too.
        if _repeats(one, start, batch, first) and _repeats(other, start, batch, others):
            yield Trace(Part.BUILD, "a second program takes another step")
    finally:
        one.close()
        other.close()


def _weights_of(program: Trainable) -> Arrays:
    try:
        return copies(program.weights() | program.model_state())
    finally:
        program.close()


def _unlike(a: Held, b: Held, from_b: Held | None = None) -> str:
    """What two programs do not hold alike, in words."""
    ways = {what: None if from_b is None else from_b[what] for what in b}
    return " and ".join(what for what, way in ways.items() if apart(a[what], b[what], way) > SAME)


def _step_on(program: Trainable, batch: Batch) -> Held:
    program.wait(program.train_step(program.put(copy_of(batch))))
    return everything_in(program)


def _repeats(program: Trainable, start: Held, batch: Batch, end: Held) -> bool:
    """Whether a step ends where it did, every time that it is taken from where it began."""
    for _ in range(TIMES - 1):
        program.load(copies({**start["weights"], **start["running statistics"]}))
        if _unlike(_step_on(program, batch), end, start):
            return False
    return True


def moved(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """Each phase, and gradients again: no weight, statistic or slot moves."""
    placed = program.put(copy_of(batches[0]))
    for phase in phases:
        before = everything_in(program)
        first = answer_of(program, phase, placed)
        after = everything_in(program)
        moved = [what for what in before if apart(after[what], before[what]) > 0]
        if moved:
            yield Trace(phase, f"it moves {' and '.join(moved)}")
        elif phase is Phase.GRADIENTS and _doubled(first, answer_of(program, phase, placed)):
            yield Trace(phase, "gradients added to those of the call before (not cleared)")


def _doubled(first: Tensors, second: Tensors) -> bool:
    """Whether all gradients are twice what they were."""
    gradients = {key: array for key, array in first.items() if key.group is Group.GRADIENTS}
    twice = {key: 2 * array for key, array in gradients.items()}
    moved = apart(gradients, {key: second[key] for key in gradients}) > SAME
    return moved and apart(second, twice) <= SAME


def kept(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """Answers after a step: of the batch that was placed before it, and placed anew."""
    trained = trainable(program)
    placed = trained.put(copy_of(batches[0]))
    before = {phase: answer_of(trained, phase, placed) for phase in phases}
    others = [trained.put(copy_of(batches[index])) for index in (-1, 0)]
    used = trained.put(copy_of(batches[0]))
    trained.wait(trained.train_step(used))
    fresh = trained.put(copy_of(batches[0]))
    if apart(answer_of(trained, phases[0], used), answer_of(trained, phases[0], fresh)) > WRITTEN:
        yield Trace(Phase.TRAIN_STEP, "it writes to its placed batch")
        return
    trained.wait(trained.train_step(others[0]))
    for phase in phases:
        of_placed = answer_of(trained, phase, placed)
        fresh = answer_of(trained, phase, others[1])
        if apart(of_placed, fresh) > SAME and apart(of_placed, before[phase]) <= SAME:
            yield Trace(phase, "an answer kept by its placed batch, from before the step")


def not_loaded(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """A step, the weights of before it loaded, and the same step again."""
    trained = trainable(program)
    placed = trained.put(copy_of(batches[-1]))
    start = everything_in(trained)
    weights = trained.weights() | trained.model_state()
    trained.wait(trained.train_step(placed))
    first = everything_in(trained)
    trained.load(copies(weights))
    back = everything_in(trained)
    left = [what for what in start if apart(back[what], start[what]) > 0]
    if left:
        yield Trace(Part.LOAD, f"it leaves {' and '.join(left)} as they were")
        return
    trained.wait(trained.train_step(placed))
    again = everything_in(trained)
    if apart(again["weights"], first["weights"], start["weights"]) > SAME:
        yield Trace(Part.LOAD, "it leaves the count of steps as it was", certain=False)


def not_restored(
    program: Program, batches: Sequence[Batch], phases: list[Phase]
) -> Iterator[Trace]:
    """Behind a step, two steps, each taken back, and then the first of them once more."""
    trained = trainable(program)
    placed = trained.put(copy_of(batches[-1]))
    trained.wait(trained.train_step(placed))
    snapshot, start = trained.snapshot(), everything_in(trained)
    ends = []
    for place in ("", "a second time: "):
        trained.wait(trained.train_step(placed))
        ends.append(everything_in(trained))
        trained.restore(snapshot)
        back = everything_in(trained)
        left = [what for what in start if apart(back[what], start[what], ends[0][what]) > SAME]
        if left:
            yield Trace(Part.RESTORE, f"{place}it leaves {' and '.join(left)} as they were")
            return
        changed = [what for what in start if apart(back[what], start[what]) > 0]
        if changed:
            words = f"{place}it brings {' and '.join(changed)} back in fewer bits"
            yield Trace(Part.RESTORE, words)
            return
    weights = [end["weights"] for end in ends]
    if apart(weights[1], weights[0], start["weights"]) > SAME:
        hidden = "it leaves the count of steps, or the generator, as they were"
        yield Trace(Part.RESTORE, hidden, certain=False)


def returned(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """What two steps return, beside what the phases say before each of them."""
    if Phase.LOSS not in phases:
        return
    trained = trainable(program)
    earlier: dict[str, dict[str, np.ndarray]] = {}
    for batch in batches[:2]:
        placed = trained.put(copy_of(batch))
        own = _plain(trained.get(trained.loss(placed)))
        trained.put(alike_in_part(batch)[0])  # a step is of its own batch, not of the last one
        inferred = _plain(trained.get(trained.infer(placed)))
        result = trained.train_step(placed)
        trained.wait(result)
        returned = _plain(trained.get(result))
        off = [name for name in own if _apart_in(name, returned, own) > SAME]
        if off:
            after = _plain(trained.get(trained.loss(placed)))
            others = {"after the step": after, "as inferred": inferred, **earlier}
            yield Trace(Phase.TRAIN_STEP, _returns(off, returned, others))
            return
        earlier["of the step before"] = own


def _returns(off: Sequence[str], returned: Arrays, others: Mapping[str, Arrays]) -> str:
    """What it is that a step returns."""
    names = " and ".join(dict.fromkeys(name.partition("/")[0] for name in off))
    for words, other in others.items():
        if all(name in other and _apart_in(name, returned, other) <= SAME for name in off):
            return f"it returns {names} {words}"
    return f"it returns {names} that its batch does not have"


def _plain(result: Arrays) -> dict[str, np.ndarray]:
    """Outputs and loss alone."""
    return {name: a for name, a in result.items() if name.startswith((Group.OUTPUTS, Group.LOSS))}


def _apart_in(name: str, a: Arrays, b: Arrays) -> float:
    """Infinite where either is missing."""
    if name not in a or name not in b:
        return float("inf")
    return apart({name: a[name]}, {name: b[name]})
