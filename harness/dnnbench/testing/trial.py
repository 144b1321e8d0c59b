"""What a law is tried on, and what laws read of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..agreement.deviation import rms, rmse
from ..agreement.keys import outputs_of
from ..protocol.batch import Batch
from ..protocol.program import Program, Trainable, trainable
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload

Arrays = Mapping[str, np.ndarray]


class LawBroken(AssertionError):
    """A backend that does not keep a law of the protocol."""


@dataclass(frozen=True)
class Trial:
    """What a law is tried on.

    build: a program of one network from these weights
    weights: initial ones, running statistics among them
    phases: whole phases that the arm offers, in their order; no other is called.
    workload: the network   reseeded: one from these weights whose generator has another seed
    """

    build: Callable[[Arrays], Program]
    weights: Arrays
    batches: Sequence[Batch]
    phases: Sequence[Phase] = PHASES
    workload: Workload | None = None
    reseeded: Callable[[Arrays], Program] | None = None

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


def standing(program: Program, trial: Trial) -> dict[str, np.ndarray]:
    """Everything that a program holds, as far as it can be read."""
    if not trial.trains:
        return program.weights()
    trained = trainable(program)
    return {**trained.weights(), **trained.optimizer_state(), **trained.model_state()}


def restorer(program: Program, trial: Trial) -> Callable[[], None]:
    """Takes the program back to where it is now; a program that only infers stays there."""
    if not trial.trains:
        return lambda: None
    trained = trainable(program)
    snapshot = trained.snapshot()
    return lambda: trained.restore(snapshot)


def worked(program: Program, batches: Sequence[Batch], trial: Trial) -> dict[str, np.ndarray]:
    """What a step on each batch leaves; what is inferred from each, where there is no step."""
    if trial.trains:
        trained = trainable(program)
        for batch in batches:
            trained.wait(trained.train_step(trained.put(batch)))
        return standing(program, trial)
    answers: dict[str, np.ndarray] = {}
    for i, batch in enumerate(batches):
        result = program.get(program.infer(program.put(batch)))
        answers |= {f"{name} of batch {i}": array for name, array in result.items()}
    return answers


def telling(result: Arrays) -> np.ndarray:
    """The loss of a result, or its first output."""
    return result["loss"] if "loss" in result else next(iter(outputs_of(result).values()))


def same(first: Arrays, second: Arrays, what: str) -> None:
    """LawBroken, after `what`, with the first tensor that differs in any bit."""
    for name in first:
        if not np.array_equal(first[name], second[name]):
            worst = np.max(np.abs(first[name] - second[name]))
            raise LawBroken(f"{what} {name} (largest difference {worst:.3e})")


LEAST = {"float64": 1e-9, "float32": 1e-3}
"""How far two kernels may lie apart, of the size of what they compute; below float32 the same."""


def close(first: np.ndarray, second: np.ndarray, what: str) -> None:
    """LawBroken, after `what`, unless both are equal but for the rounding of another kernel."""
    apart = rmse(first, second)
    if not apart <= LEAST.get(str(first.dtype), LEAST["float32"]) * rms(first):
        raise LawBroken(f"{what} rmse {apart:.2e} of rms {rms(first):.2e}")
