"""What calls of a program leave behind, where they must leave nothing: asked of the program itself,
after a check has found that it differs, without any reference.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program, is_trainable, trainable
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .deviation import rms, rmse
from .keys import Group, Tensors, keyed
from .observing import Build, alike_in_part, fill, with_optimizer

WRITTEN = 1e-5
"""Answers of one batch, placed twice, do not lie so far apart."""
SAME = 1e-3
"""Two answers that differ by less than this share of what they might differ by are the same."""


class Part(StrEnum):
    """A program's methods that are no phase."""

    PUT = "put"
    LOAD = "load"
    RESTORE = "restore"


@dataclass(frozen=True)
class Trace:
    """A method of a program, a phase or a Part, and what is wrong with it in words.

    certain: whether nothing else leaves the same
    """

    name: str
    fault: str
    certain: bool = True


Arrays = Mapping[str, np.ndarray]


def find_traces(
    build: Build, workload: Workload, batches: Sequence[Batch], phases: Collection[Phase]
) -> list[Trace]:
    """Everything that calls leave behind, the first in the order in which they are called."""
    passes: tuple[Phase, ...] = PHASES[:-1]
    called = [phase for phase in passes if phase in phases]
    if not called:
        return []

    def of_its_own() -> Program:
        return build(with_optimizer(workload, workload.task.optimizer))

    searches: list[Callable[[Program, Sequence[Batch], list[Phase]], Iterator[Trace]]] = [
        _lent,
        partial(_taken, of_its_own),
        _moved,
        _odd,
        _padded,
    ]
    if Phase.TRAIN_STEP in phases:
        searches += [_kept, _not_loaded, _not_restored, _returned]
    traces: list[Trace] = []
    for search in searches:
        program = of_its_own()
        try:
            traces += search(program, batches, called)
        finally:
            program.close()
    return traces


def _copy(batch: Batch) -> Batch:
    return batch.rows(np.arange(batch.size))


def _answer(program: Program, phase: Phase, placed: Any) -> Tensors:
    answer = keyed(program.get(getattr(program, phase)(placed)), phase)
    return {key: array for key, array in answer.items() if key.group is not Group.PREDICTION}


def _lent(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """The caller's arrays are filled with zeros after `put`."""
    lent = _copy(batches[0])
    placed = program.put(lent)
    for array in (*lent.inputs.values(), lent.targets, *lent.masks.values()):
        array.fill(0)
    phase = Phase.LOSS if Phase.LOSS in phases else phases[-1]
    again = program.put(_copy(batches[0]))
    wrong, right = _answer(program, phase, placed), _answer(program, phase, again)
    if _apart(wrong, right) > SAME:
        yield Trace(Part.PUT, "the caller's arrays in place of a copy: they change after it")


def _taken(
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
    placed = program.put(_copy(batch))
    for phase, other, what in others:
        if phase not in phases:
            continue
        alone = _answer(program, phase, placed)
        pair = build()
        try:
            before, unlike = _answers_behind(other, pair, phase, batches)
        finally:
            pair.close()
        if before and _apart(alone, before) > 0 and _apart(unlike, before) > 0:
            yield Trace(Part.PUT, f"{what} taken for those placed before, like it in part")
            return


def _answers_behind(
    other: Batch, program: Program, phase: Phase, batches: Sequence[Batch]
) -> tuple[Tensors, Tensors]:
    """What is answered of another batch, where the first one behind it, in its arrays, is answered
    alike, else nothing; and what of the last one.
    """
    lent = _copy(other)
    first = program.put(lent)  # which stays: what is kept by it is not handed to the second
    before = _answer(program, phase, first)
    fill(lent, batches[0])
    if _apart(_answer(program, phase, program.put(lent)), before) > 0:
        return {}, {}
    return before, _answer(program, phase, program.put(_copy(batches[-1])))


def _odd(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """Three rows by themselves, and with a fourth: what is inferred of them is the same, as it is
    of two.
    """
    if batches[0].size <= ODD or Phase.INFER not in phases:
        return
    # All stay: what is kept by a batch that is gone may be handed to one in its place.
    sizes = (batches[0].size, ODD, EVEN)
    placed = [program.put(batches[0].rows(np.arange(size))) for size in sizes]
    whole, odd, even = (_answer(program, Phase.INFER, each) for each in placed)
    if _apart(odd, _first(ODD, whole)) > SAME >= _apart(even, _first(EVEN, whole)):
        yield Trace(Phase.INFER, "another answer where the number of rows is odd")


ODD, EVEN = 3, 2


def _first(rows: int, answer: Tensors) -> Tensors:
    return {key: array[:rows] for key, array in answer.items()}


def _padded(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """Means over three rows are not those over the same three and the last once more."""
    if batches[0].size <= ODD or Phase.GRADIENTS not in phases:
        return
    of_rows = ([0, 1, 2], [0, 1, 2, 2], [0, 1])
    placed = [program.put(batches[0].rows(np.array(rows))) for rows in of_rows]
    means = []
    for each in placed:
        answer = _answer(program, Phase.GRADIENTS, each).items()
        means.append({key: array for key, array in answer if not key.by_example})
    three, four, two = means
    if _apart(three, two) > SAME and _apart(three, four) <= SAME:
        yield Trace(Part.PUT, "batches padded with their last example, which means count")


def _moved(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """Each phase, and gradients again: no weight, statistic or slot moves."""
    placed = program.put(_copy(batches[0]))
    for phase in phases:
        before = _everything(program)
        first = _answer(program, phase, placed)
        after = _everything(program)
        moved = [what for what in before if _apart(after[what], before[what]) > 0]
        if moved:
            yield Trace(phase, f"it moves {' and '.join(moved)}")
        elif phase is Phase.GRADIENTS and _doubled(first, _answer(program, phase, placed)):
            yield Trace(phase, "gradients added to those of the call before (not cleared)")


def _doubled(first: Tensors, second: Tensors) -> bool:
    """Whether all gradients are twice what they were."""
    gradients = {key: array for key, array in first.items() if key.group is Group.GRADIENTS}
    twice = {key: 2 * array for key, array in gradients.items()}
    moved = _apart(gradients, {key: second[key] for key in gradients}) > SAME
    return moved and _apart(second, twice) <= SAME


def _everything(program: Program) -> dict[str, dict[str, np.ndarray]]:
    """What a program holds, by what it is called."""
    held = {"weights": program.weights()}
    if is_trainable(program):
        held |= {"running statistics": program.model_state(), "slots": program.optimizer_state()}
    return {what: _copies(arrays) for what, arrays in held.items()}


def _copies(arrays: Arrays) -> dict[str, np.ndarray]:
    return {name: np.array(array) for name, array in arrays.items()}


def _kept(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """Answers after a step: of the batch that was placed before it, and placed anew."""
    trained = trainable(program)
    placed = trained.put(_copy(batches[0]))
    before = {phase: _answer(trained, phase, placed) for phase in phases}
    others = [trained.put(_copy(batches[index])) for index in (-1, 0)]
    used = trained.put(_copy(batches[0]))
    trained.wait(trained.train_step(used))
    fresh = trained.put(_copy(batches[0]))
    if _apart(_answer(trained, phases[0], used), _answer(trained, phases[0], fresh)) > WRITTEN:
        yield Trace(Phase.TRAIN_STEP, "it writes to its placed batch")
        return
    trained.wait(trained.train_step(others[0]))
    for phase in phases:
        of_placed = _answer(trained, phase, placed)
        fresh = _answer(trained, phase, others[1])
        if _apart(of_placed, fresh) > SAME and _apart(of_placed, before[phase]) <= SAME:
            yield Trace(phase, "an answer kept by its placed batch, from before the step")


def _not_loaded(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """A step, the weights of before it loaded, and the same step again."""
    trained = trainable(program)
    placed = trained.put(_copy(batches[-1]))
    start = _everything(trained)
    weights = trained.weights() | trained.model_state()
    trained.wait(trained.train_step(placed))
    first = _everything(trained)
    trained.load(_copies(weights))
    back = _everything(trained)
    left = [what for what in start if _apart(back[what], start[what]) > 0]
    if left:
        yield Trace(Part.LOAD, f"it leaves {' and '.join(left)} as they were")
        return
    trained.wait(trained.train_step(placed))
    again = _everything(trained)
    if _apart(again["weights"], first["weights"], start["weights"]) > SAME:
        yield Trace(Part.LOAD, "it leaves the count of steps as it was", certain=False)


def _not_restored(
    program: Program, batches: Sequence[Batch], phases: list[Phase]
) -> Iterator[Trace]:
    """Behind a step, two steps, each taken back, and then the first of them once more."""
    trained = trainable(program)
    placed = trained.put(_copy(batches[-1]))
    trained.wait(trained.train_step(placed))
    snapshot, start = trained.snapshot(), _everything(trained)
    ends = []
    for place in ("", "a second time: "):
        trained.wait(trained.train_step(placed))
        ends.append(_everything(trained))
        trained.restore(snapshot)
        back = _everything(trained)
        left = [what for what in start if _apart(back[what], start[what], ends[0][what]) > SAME]
        if left:
            yield Trace(Part.RESTORE, f"{place}it leaves {' and '.join(left)} as they were")
            return
        changed = [what for what in start if _apart(back[what], start[what]) > 0]
        if changed:
            words = f"{place}it brings {' and '.join(changed)} back in fewer bits"
            yield Trace(Part.RESTORE, words)
            return
    weights = [end["weights"] for end in ends]
    if _apart(weights[1], weights[0], start["weights"]) > SAME:
        hidden = "it leaves the count of steps, or the generator, as they were"
        yield Trace(Part.RESTORE, hidden, certain=False)


def _returned(program: Program, batches: Sequence[Batch], phases: list[Phase]) -> Iterator[Trace]:
    """What two steps return, beside what the phases say before each of them."""
    if Phase.LOSS not in phases:
        return
    trained = trainable(program)
    earlier: dict[str, dict[str, np.ndarray]] = {}
    for batch in batches[:2]:
        placed = trained.put(_copy(batch))
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
    return _apart({name: a[name]}, {name: b[name]})


Name = TypeVar("Name")


def _apart(
    a: Mapping[Name, np.ndarray],
    b: Mapping[Name, np.ndarray],
    from_b: Mapping[Name, np.ndarray] | None = None,
) -> float:
    """The largest rmse of a - b, over the size of both or the way of `from_b` from b."""
    largest = 0.0
    for name, wanted in b.items():
        if name not in a or a[name].shape != wanted.shape:
            return float("inf")
        if not wanted.size or np.array_equal(a[name], wanted, equal_nan=True):
            continue
        if not (np.all(np.isfinite(a[name])) and np.all(np.isfinite(wanted))):
            continue  # a part makes such numbers, and the search finds it
        size = rmse(from_b[name], wanted) if from_b else max(rms(a[name]), rms(wanted))
        largest = max(largest, rmse(a[name], wanted) / size if size > 0 else float("inf"))
    return largest
