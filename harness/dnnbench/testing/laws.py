"""The laws of the protocol, each a function that raises LawBroken with what was seen."""

from collections.abc import Callable, Sequence

import numpy as np

from ..agreement.keys import outputs_of
from ..host.clock import now
from ..host.memory import read_memory
from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.phases import PHASES

Make = Callable[[], Program]


class LawBroken(AssertionError):
    """A backend that does not keep a law of the protocol."""


def infer_changes_nothing(make: Make, batches: Sequence[Batch]) -> None:
    """infer, forward, loss and gradients leave weights, statistics and slots as they were."""
    program = make()
    placed = program.put(batches[0])
    program.train_step(placed)
    before = _standing(program)
    for phase in PHASES[:-1]:
        program.wait(getattr(program, phase)(placed))
        _same(before, _standing(program), f"{phase} changed")


def inputs_are_not_written_to(make: Make, batches: Sequence[Batch]) -> None:
    """No phase writes to the arrays of a batch, on the host or on the device."""
    program = make()
    arrays = {**batches[0].inputs, "targets": batches[0].targets, **batches[0].masks}
    copies = {name: array.copy() for name, array in arrays.items()}
    placed = program.put(batches[0])
    first = program.get(program.infer(placed))
    for phase in PHASES:
        start = program.snapshot()
        program.wait(getattr(program, phase)(placed))
        program.restore(start)
    _same(copies, arrays, "the caller's array was written to:")
    _same(first, program.get(program.infer(placed)), "the placed batch was written to:")


def put_does_not_alias(make: Make, batches: Sequence[Batch]) -> None:
    """What the caller does with an array after `put` does not reach the device."""
    program = make()
    batch = batches[0].rows(np.arange(batches[0].size))
    placed = program.put(batch)
    before = program.get(program.infer(placed))
    for array in batch.inputs.values():
        array.fill(0)
    _same(before, program.get(program.infer(placed)), "the device sees the caller's array:")


def another_input_gives_another_result(make: Make, batches: Sequence[Batch]) -> None:
    """No answer is cached."""
    program = make()
    first = program.get(program.loss(program.put(batches[0])))["loss"]
    second = program.get(program.loss(program.put(batches[1])))["loss"]
    if first == second:
        raise LawBroken(f"two batches gave the same loss {first!r}: an answer is cached")


def same_seed_same_bits(make: Make, batches: Sequence[Batch]) -> None:
    """Two programs of one seed agree to the last bit on one thread, masks drawn by the framework included."""
    without_masks = [Batch(batch.inputs, batch.targets) for batch in batches]
    first, second = (_train(make(), without_masks) for _ in range(2))
    _same(first, second, "the same seed gave other bits:")


def restore_goes_back(make: Make, batches: Sequence[Batch]) -> None:
    """A snapshot brings back weights, slots, statistics and generator to the bit, and can be used again."""
    program = make()
    without_masks = [Batch(batch.inputs, batch.targets) for batch in batches]
    _train(program, without_masks[:1])
    snapshot = program.snapshot()
    first = _train(program, without_masks)
    for _ in range(2):
        program.restore(snapshot)
        _same(first, _train(program, without_masks), "after restore, training went elsewhere:")


def load_starts_anew(make: Make, batches: Sequence[Batch]) -> None:
    """load(weights) makes a trained program a fresh one."""
    fresh = make()
    weights = fresh.weights() | fresh.model_state()
    program = make()
    _train(program, batches)
    program.load(weights)
    _same(_train(fresh, batches), _train(program, batches), "a loaded program differs from a fresh one:")


def a_smaller_batch_works(make: Make, batches: Sequence[Batch]) -> None:
    """The last, smaller batch of an epoch trains too, and the loss is the mean over its own rows."""
    program = make()
    small = batches[0].rows(np.arange(batches[0].size - 1))
    result = program.get(program.train_step(program.put(small)))
    for name, array in outputs_of(result).items():
        if len(array) != small.size:
            raise LawBroken(f"outputs/{name} has {len(array)} rows for a batch of {small.size}")


def activations_and_cotangents_cover_every_node(make: Make, batches: Sequence[Batch]) -> None:
    """Both name every node once, and the last activation is the output."""
    program = make()
    placed = program.put(batches[0])
    values, flowing = program.activations(placed), program.cotangents(placed)
    if set(values) != set(flowing):
        raise LawBroken(f"activations and cotangents differ in nodes: {sorted(set(values) ^ set(flowing))}")
    for name, array in values.items():
        if flowing[name].shape != array.shape:
            raise LawBroken(f"the cotangent of {name} has shape {flowing[name].shape}, its value {array.shape}")


def closing_gives_memory_back(make: Make, batches: Sequence[Batch]) -> None:
    """After a few cycles of build, train and close, twenty more grow the process by less than a quarter of their weights.

    64 MiB are allowed at least: a compiler may keep its programs (TensorFlow's XLA keeps 3 to 4 MiB each).
    """

    def cycle() -> int:
        program = make()
        _train(program, batches[:1])
        held = sum(array.nbytes for array in program.weights().values())
        program.close()
        return held

    for _ in range(3):
        cycle()
    before = read_memory().rss_bytes
    held = sum(cycle() for _ in range(20))
    grown = read_memory().rss_bytes - before
    if not grown < max(held / 4, 64 * 2**20):
        raise LawBroken(
            f"twenty build-close cycles grew the process by {grown / 2**20:.0f} MiB, {grown / held:.0%} of their weights"
        )


def the_second_call_compiles_nothing(make: Make, batches: Sequence[Batch]) -> None:
    """After the first call of each phase, and its first call after a restore, nothing more is compiled."""
    program = make()
    placed = program.put(batches[0])
    snapshot = program.snapshot()

    def call_all():
        for phase in PHASES:
            program.restore(snapshot)
            for _ in range(2):
                program.wait(getattr(program, phase)(placed))
        return program.facts()["compilations"]

    first, second = call_all(), call_all()
    if first != second:
        raise LawBroken(
            f"{second - first} more compilation(s) in the second round of calls, after {first} in the first"
        )


def wait_means_done(make: Make, batches: Sequence[Batch]) -> None:
    """Once `wait` is back, the result and the new weights are there: reading a number takes a small share of the step."""
    program = make()
    placed = program.put(batches[0])
    shares = []
    for _ in range(7):
        begin = now()
        result = program.train_step(placed)
        program.wait(result)
        done = now()
        program.get({"loss": result["loss"]})
        shares.append((now() - done) / (done - begin))
    share = float(np.median(shares))
    if not share < 0.3:
        raise LawBroken(f"reading the loss after `wait` took {share:.0%} of the step: it was not done")


LAWS = {
    law.__name__: law
    for law in (
        infer_changes_nothing,
        inputs_are_not_written_to,
        put_does_not_alias,
        another_input_gives_another_result,
        same_seed_same_bits,
        restore_goes_back,
        load_starts_anew,
        a_smaller_batch_works,
        activations_and_cotangents_cover_every_node,
        the_second_call_compiles_nothing,
        wait_means_done,
        closing_gives_memory_back,
    )
}


def _standing(program: Program) -> dict[str, np.ndarray]:
    return {**program.weights(), **program.optimizer_state(), **program.model_state()}


def _train(program: Program, batches: Sequence[Batch]) -> dict[str, np.ndarray]:
    for batch in batches:
        program.wait(program.train_step(program.put(batch)))
    return _standing(program)


def _same(first: dict[str, np.ndarray], second: dict[str, np.ndarray], what: str) -> None:
    for name in first:
        if not np.array_equal(first[name], second[name]):
            worst = np.max(np.abs(first[name] - second[name]))
            raise LawBroken(f"{what} {name} (largest difference {worst:.3e})")
