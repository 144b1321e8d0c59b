"""The laws of the protocol, each a function that raises LawBroken with what was seen."""

from collections.abc import Callable

import numpy as np

from ..agreement.keys import outputs_of
from ..host.clock import now
from ..host.memory import read_memory
from ..protocol.program import trainable
from ..spec.phases import Phase
from .laws_of_programs import programs_do_not_share
from .laws_of_steps import (
    gradients_repeat,
    inference_repeats,
    masks_are_drawn_as_they_are_meant,
    masks_keep_their_share,
    no_answer_is_kept_by_its_batch,
    pieces_do_what_the_step_does,
)
from .trial import LawBroken, Trial, close, restorer, same, standing, telling, worked


def infer_changes_nothing(trial: Trial) -> None:
    """infer, forward, loss and gradients leave weights, statistics and slots as they were."""
    program = trial.make()
    placed = program.put(trial.batches[0])
    if trial.trains:
        trainable(program).train_step(placed)
    before = standing(program, trial)
    for phase in trial.phases:
        if phase is not Phase.TRAIN_STEP:
            program.wait(getattr(program, phase)(placed))
            same(before, standing(program, trial), f"{phase} changed")


def inputs_are_not_written_to(trial: Trial) -> None:
    """No phase writes to the arrays of a batch, on the host or on the device."""
    program, batch = trial.make(), trial.batches[0]
    arrays = {**batch.inputs, "targets": batch.targets, **batch.masks}
    copies = {name: array.copy() for name, array in arrays.items()}
    placed = program.put(batch)
    first = program.get(program.infer(placed))
    restore = restorer(program, trial)
    for phase in trial.phases:
        program.wait(getattr(program, phase)(placed))
        restore()
    same(copies, arrays, "the caller's array was written to:")
    same(first, program.get(program.infer(placed)), "the placed batch was written to:")


def put_does_not_alias(trial: Trial) -> None:
    """What the caller does with an array after `put` does not reach the device."""
    program = trial.make()
    batch = trial.batches[0].rows(np.arange(trial.batches[0].size))
    placed = program.put(batch)
    before = program.get(program.infer(placed))
    for array in batch.inputs.values():
        array.fill(0)
    same(before, program.get(program.infer(placed)), "the device sees the caller's array:")


def another_input_gives_another_result(trial: Trial) -> None:
    """No answer is cached."""
    program = trial.make()
    phase = Phase.LOSS if Phase.LOSS in trial.phases else Phase.INFER
    call = getattr(program, phase)
    first, second = (telling(program.get(call(program.put(batch)))) for batch in trial.batches[:2])
    if np.array_equal(first, second):
        raise LawBroken(f"two batches gave the same {phase} {first!r}: an answer is cached")


def same_seed_same_bits(trial: Trial) -> None:
    """Two programs of one seed agree to the last bit on one thread,
    masks drawn by the framework included.
    """
    first, second = (worked(trial.make(), trial.without_masks(), trial) for _ in range(2))
    same(first, second, "the same seed gave other bits:")


def restore_goes_back(trial: Trial) -> None:
    """A snapshot brings back weights, slots, count of steps, statistics and generator to the bit,
    and can be used again.
    """
    program, batches = trial.make_trainable(), trial.without_masks()
    worked(program, batches[:1], trial)
    snapshot, before = program.snapshot(), standing(program, trial)
    first = worked(program, batches, trial)
    for _ in range(2):
        program.restore(snapshot)
        same(before, standing(program, trial), "restore did not bring back")
        same(first, worked(program, batches, trial), "after restore, training went elsewhere:")


def load_starts_anew(trial: Trial) -> None:
    """load(weights) makes a trained program a fresh one."""
    fresh = trial.make_trainable()
    weights = fresh.weights() | fresh.model_state()
    program = trial.make_trainable()
    worked(program, trial.batches, trial)
    program.load(weights)
    trained, expected = (worked(one, trial.batches, trial) for one in (program, fresh))
    same(expected, trained, "a loaded program differs from a fresh one:")


def load_reaches_inference(trial: Trial) -> None:
    """After load(weights) a program infers what one built from these weights does,
    and from the old ones what it did.
    """
    halved = {name: array / 2 for name, array in trial.weights.items()}
    program, other = trial.make(), trial.build(halved)
    placed = program.put(trial.batches[0])
    first = program.get(program.infer(placed))
    wanted = other.get(other.infer(other.put(trial.batches[0])))
    program.load(halved)
    same(
        wanted,
        program.get(program.infer(placed)),
        "a loaded program infers what one that was built does not:",
    )
    program.load(trial.weights)
    same(
        first,
        program.get(program.infer(placed)),
        "with its old weights loaded, a program infers something else:",
    )
    if all(np.array_equal(first[name], wanted[name]) for name in first):
        raise LawBroken("halved weights changed no answer: inference does not read them")


def a_smaller_batch_works(trial: Trial) -> None:
    """The last, smaller batch of an epoch works too: its rows are inferred as in the whole batch,
    and a step returns the loss that the loss phase gives of it.
    """
    program, batch = trial.make(), trial.batches[0]
    small = batch.rows(np.arange(batch.size - 1))
    whole = outputs_of(program.get(program.infer(program.put(batch))))
    placed = program.put(small)
    rows = outputs_of(program.get(program.infer(placed)))
    for name, array in whole.items():
        close(array[:-1], rows[name], f"of a batch of {small.size}, inference gives other {name}:")
    if trial.trains:
        trained = trainable(program)
        losses = [trained.get(call(placed)) for call in (trained.loss, trained.train_step)]
        close(losses[0]["loss"], losses[1]["loss"], "a step returns another loss:")
        for name, array in outputs_of(losses[1]).items():
            if len(array) != small.size:
                raise LawBroken(f"outputs/{name} has {len(array)} rows for {small.size} examples")


def activations_and_cotangents_cover_every_node(trial: Trial) -> None:
    """Both name every node once, and the last activation is the output."""
    program = trial.make_trainable()
    placed = program.put(trial.batches[0])
    values, flowing = program.activations(placed), program.cotangents(placed)
    if set(values) != set(flowing):
        raise LawBroken(
            f"activations and cotangents differ in nodes: {sorted(set(values) ^ set(flowing))}"
        )
    for name, array in values.items():
        if flowing[name].shape != array.shape:
            raise LawBroken(
                f"the cotangent of {name} has shape {flowing[name].shape}, its value {array.shape}"
            )


def closing_gives_memory_back(trial: Trial) -> None:
    """After a few cycles of build, work and close, twenty more grow the process by less
    than a quarter of their weights.

    64 MiB are allowed at least: a compiler may keep its programs
    (TensorFlow's XLA keeps 3 to 4 MiB each).
    """

    def cycle() -> int:
        program = trial.make()
        worked(program, trial.batches[:1], trial)
        held = sum(array.nbytes for array in program.weights().values())
        program.close()
        return held

    for _ in range(3):
        cycle()
    before = read_memory().rss_bytes
    held = sum(cycle() for _ in range(20))
    after = read_memory().rss_bytes
    if before is None or after is None:
        raise LawBroken("nobody tells here how much memory the process holds")
    grown = after - before
    if not grown < max(held / 4, 64 * 2**20):
        raise LawBroken(
            f"twenty build-close cycles grew the process by {grown / 2**20:.0f} MiB, "
            f"{grown / held:.0%} of their weights"
        )


def the_second_call_compiles_nothing(trial: Trial) -> None:
    """After the first call of each phase, and its first call after a restore,
    nothing more is compiled.
    """
    program = trial.make()
    placed = program.put(trial.batches[0])
    restore = restorer(program, trial)

    def call_all() -> int:
        for phase in trial.phases:
            restore()
            for _ in range(2):
                program.wait(getattr(program, phase)(placed))
        return int(program.facts()["compilations"])

    first, second = call_all(), call_all()
    if first != second:
        raise LawBroken(
            f"{second - first} more compilation(s) in the second round of calls, "
            f"after {first} in the first"
        )


def wait_means_done(trial: Trial) -> None:
    """Once `wait` is back, the result and the new weights are there: reading a number, or the
    weights beyond what a second reading takes, takes a small share of the step.
    """
    program = trial.make()
    placed = program.put(trial.batches[0])
    what, key = (Phase.TRAIN_STEP, "loss") if trial.trains else (Phase.INFER, "prediction")
    call = getattr(program, what)
    results, weights = [], []
    for _ in range(7):
        begin = now()
        result = call(placed)
        program.wait(result)
        step_s = now() - begin
        # What the first reading takes beyond the second is what `wait` left undone.
        first_s, second_s = _seconds(program.weights), _seconds(program.weights)
        weights.append((first_s - second_s) / step_s)
        begin = now()
        result = call(placed)
        program.wait(result)
        done = now()
        program.get({key: result[key]} if trial.trains else result)
        results.append((now() - done) / (done - begin))
    for read, shares in ((f"the {key}", results), ("the weights", weights)):
        share = float(np.median(shares))
        if not share < 0.3:
            raise LawBroken(
                f"reading {read} after `wait` took {share:.0%} of {what}: it was not done"
            )


def _seconds(read: Callable[[], object]) -> float:
    begin = now()
    read()
    return now() - begin


LAWS: dict[str, Callable[[Trial], None]] = {
    law.__name__: law
    for law in (
        programs_do_not_share,  # first: its process must have built no other program
        infer_changes_nothing,
        inputs_are_not_written_to,
        put_does_not_alias,
        another_input_gives_another_result,
        same_seed_same_bits,
        restore_goes_back,
        no_answer_is_kept_by_its_batch,
        gradients_repeat,
        inference_repeats,
        pieces_do_what_the_step_does,
        masks_are_drawn_as_they_are_meant,
        masks_keep_their_share,
        load_starts_anew,
        load_reaches_inference,
        a_smaller_batch_works,
        activations_and_cotangents_cover_every_node,
        the_second_call_compiles_nothing,
        wait_means_done,
        closing_gives_memory_back,
    )
}
NEEDS: dict[str, Phase] = {
    "restore_goes_back": Phase.TRAIN_STEP,
    "no_answer_is_kept_by_its_batch": Phase.TRAIN_STEP,
    "gradients_repeat": Phase.GRADIENTS,
    "pieces_do_what_the_step_does": Phase.TRAIN_STEP,
    "masks_are_drawn_as_they_are_meant": Phase.TRAIN_STEP,
    "masks_keep_their_share": Phase.TRAIN_STEP,
    "load_starts_anew": Phase.TRAIN_STEP,
    "activations_and_cotangents_cover_every_node": Phase.GRADIENTS,
}
"""The phase without which a law says nothing; any other law is one of inference too."""
