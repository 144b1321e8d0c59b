"""The laws of the protocol, each a function that raises LawBroken with what was seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..agreement.keys import outputs_of
from ..host.clock import now
from ..host.memory import read_memory
from ..protocol.batch import Batch
from ..protocol.program import Program, Trainable, trainable
from ..spec.phases import PHASES, Phase

Arrays = Mapping[str, np.ndarray]


class LawBroken(AssertionError):
    """A backend that does not keep a law of the protocol."""


@dataclass(frozen=True)
class Trial:
    """What a law is tried on.

    build: a program of one network from these weights
    weights: initial ones, running statistics among them
    phases: whole phases that the arm offers, in their order; no other is called.
    """

    build: Callable[[Arrays], Program]
    weights: Arrays
    batches: Sequence[Batch]
    phases: Sequence[Phase] = PHASES

    @property
    def trains(self) -> bool:
        """Whether a step can be asked for."""
        return Phase.TRAIN_STEP in self.phases

    def make(self) -> Program:
        """A program that starts from the initial weights."""
        return self.build(self.weights)

    def make_trainable(self) -> Trainable:
        """One that is to be trained."""
        return trainable(self.make())

    def without_masks(self) -> list[Batch]:
        """Batches for which the framework draws its own."""
        return [Batch(batch.inputs, batch.targets) for batch in self.batches]


def infer_changes_nothing(trial: Trial) -> None:
    """infer, forward, loss and gradients leave weights, statistics and slots as they were."""
    program = trial.make()
    placed = program.put(trial.batches[0])
    if trial.trains:
        trainable(program).train_step(placed)
    before = _standing(program, trial)
    for phase in trial.phases:
        if phase is not Phase.TRAIN_STEP:
            program.wait(getattr(program, phase)(placed))
            _same(before, _standing(program, trial), f"{phase} changed")


def inputs_are_not_written_to(trial: Trial) -> None:
    """No phase writes to the arrays of a batch, on the host or on the device."""
    program, batch = trial.make(), trial.batches[0]
    arrays = {**batch.inputs, "targets": batch.targets, **batch.masks}
    copies = {name: array.copy() for name, array in arrays.items()}
    placed = program.put(batch)
    first = program.get(program.infer(placed))
    restore = _restorer(program, trial)
    for phase in trial.phases:
        program.wait(getattr(program, phase)(placed))
        restore()
    _same(copies, arrays, "the caller's array was written to:")
    _same(first, program.get(program.infer(placed)), "the placed batch was written to:")


def put_does_not_alias(trial: Trial) -> None:
    """What the caller does with an array after `put` does not reach the device."""
    program = trial.make()
    batch = trial.batches[0].rows(np.arange(trial.batches[0].size))
    placed = program.put(batch)
    before = program.get(program.infer(placed))
    for array in batch.inputs.values():
        array.fill(0)
    _same(before, program.get(program.infer(placed)), "the device sees the caller's array:")


def another_input_gives_another_result(trial: Trial) -> None:
    """No answer is cached."""
    program = trial.make()
    phase = Phase.LOSS if Phase.LOSS in trial.phases else Phase.INFER
    call = getattr(program, phase)
    first, second = (_telling(program.get(call(program.put(batch)))) for batch in trial.batches[:2])
    if np.array_equal(first, second):
        raise LawBroken(f"two batches gave the same {phase} {first!r}: an answer is cached")


def same_seed_same_bits(trial: Trial) -> None:
    """Two programs of one seed agree to the last bit on one thread,
    masks drawn by the framework included.
    """
    first, second = (_worked(trial.make(), trial.without_masks(), trial) for _ in range(2))
    _same(first, second, "the same seed gave other bits:")


def restore_goes_back(trial: Trial) -> None:
    """A snapshot brings back weights, slots, statistics and generator to the bit,
    and can be used again.
    """
    program, batches = trial.make_trainable(), trial.without_masks()
    _worked(program, batches[:1], trial)
    snapshot = program.snapshot()
    first = _worked(program, batches, trial)
    for _ in range(2):
        program.restore(snapshot)
        _same(first, _worked(program, batches, trial), "after restore, training went elsewhere:")


def load_starts_anew(trial: Trial) -> None:
    """load(weights) makes a trained program a fresh one."""
    fresh = trial.make_trainable()
    weights = fresh.weights() | fresh.model_state()
    program = trial.make_trainable()
    _worked(program, trial.batches, trial)
    program.load(weights)
    trained, expected = (_worked(one, trial.batches, trial) for one in (program, fresh))
    _same(expected, trained, "a loaded program differs from a fresh one:")


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
    _same(
        wanted,
        program.get(program.infer(placed)),
        "a loaded program infers what one that was built does not:",
    )
    program.load(trial.weights)
    _same(
        first,
        program.get(program.infer(placed)),
        "with its old weights loaded, a program infers something else:",
    )
    if all(np.array_equal(first[name], wanted[name]) for name in first):
        raise LawBroken("halved weights changed no answer: inference does not read them")


def a_smaller_batch_works(trial: Trial) -> None:
    """The last, smaller batch of an epoch works too, and the loss is the mean over its own rows."""
    program = trial.make()
    small = trial.batches[0].rows(np.arange(trial.batches[0].size - 1))
    call = getattr(program, Phase.TRAIN_STEP if trial.trains else Phase.INFER)
    result = program.get(call(program.put(small)))
    for name, array in outputs_of(result).items():
        if len(array) != small.size:
            raise LawBroken(f"outputs/{name} has {len(array)} rows for a batch of {small.size}")


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
        _worked(program, trial.batches[:1], trial)
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
    restore = _restorer(program, trial)

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
    """Once `wait` is back, the result and the new weights are there:
    reading a number takes a small share of the step.
    """
    program = trial.make()
    placed = program.put(trial.batches[0])
    what, key = (Phase.TRAIN_STEP, "loss") if trial.trains else (Phase.INFER, "prediction")
    call = getattr(program, what)
    shares = []
    for _ in range(7):
        begin = now()
        result = call(placed)
        program.wait(result)
        done = now()
        program.get({key: result[key]} if trial.trains else result)
        shares.append((now() - done) / (done - begin))
    share = float(np.median(shares))
    if not share < 0.3:
        raise LawBroken(
            f"reading the {key} after `wait` took {share:.0%} of {what}: it was not done"
        )


LAWS: dict[str, Callable[[Trial], None]] = {
    law.__name__: law
    for law in (
        infer_changes_nothing,
        inputs_are_not_written_to,
        put_does_not_alias,
        another_input_gives_another_result,
        same_seed_same_bits,
        restore_goes_back,
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
    "load_starts_anew": Phase.TRAIN_STEP,
    "activations_and_cotangents_cover_every_node": Phase.GRADIENTS,
}
"""The phase without which a law says nothing; any other law is one of inference too."""


def _standing(program: Program, trial: Trial) -> dict[str, np.ndarray]:
    """Everything that a program holds, as far as it can be read."""
    if not trial.trains:
        return program.weights()
    trained = trainable(program)
    return {**trained.weights(), **trained.optimizer_state(), **trained.model_state()}


def _restorer(program: Program, trial: Trial) -> Callable[[], None]:
    """Takes the program back to where it is now; a program that only infers stays there."""
    if not trial.trains:
        return lambda: None
    trained = trainable(program)
    snapshot = trained.snapshot()
    return lambda: trained.restore(snapshot)


def _worked(program: Program, batches: Sequence[Batch], trial: Trial) -> dict[str, np.ndarray]:
    """What a step on each batch leaves; what is inferred from each, where there is no step."""
    if trial.trains:
        trained = trainable(program)
        for batch in batches:
            trained.wait(trained.train_step(trained.put(batch)))
        return _standing(program, trial)
    answers: dict[str, np.ndarray] = {}
    for i, batch in enumerate(batches):
        result = program.get(program.infer(program.put(batch)))
        answers |= {f"{name} of batch {i}": array for name, array in result.items()}
    return answers


def _telling(result: Arrays) -> np.ndarray:
    """The loss of a result, or its first output."""
    return result["loss"] if "loss" in result else next(iter(outputs_of(result).values()))


def _same(first: Arrays, second: Arrays, what: str) -> None:
    for name in first:
        if not np.array_equal(first[name], second[name]):
            worst = np.max(np.abs(first[name] - second[name]))
            raise LawBroken(f"{what} {name} (largest difference {worst:.3e})")
