"""Training a workload to its target, epoch by epoch, and predicting with given weights."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...protocol.batch import Batch
from ...spec.workload import Workload
from ..score import Score


@dataclass(frozen=True)
class TrainingRequest:
    """A workload, the weights that it starts from, and the whole training set.

    `seed` orders the examples.
    """

    workload: Workload
    weights: Mapping[str, np.ndarray] = field(repr=False)
    train: Batch = field(repr=False)
    batch_size: int
    seed: int


@dataclass(frozen=True)
class TrainingStarted:
    """Seconds of building the program, and of its first steps, compiling included."""

    build_s: float
    first_call_s: float


@dataclass(frozen=True)
class EpochResult:
    """Mean loss over the labels that count, and the seconds of the epoch's training steps alone.

    losses: those that its steps returned, the smaller last batch among them
    """

    loss: float
    seconds: float
    losses: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class FirstEpochRequest:
    """A training, of which some steps of the first epoch are taken in float64.

    steps: their places in the epoch, from 0, taken one after the other
    mode: of the backend; empty for the arm's own
    turned: whether the examples of each batch stand in the opposite order
    """

    training: TrainingRequest
    steps: tuple[int, ...]
    mode: str = ""
    turned: bool = False


@dataclass(frozen=True)
class PredictRequest:
    """Given weights, and the examples to predict."""

    workload: Workload
    weights: Mapping[str, np.ndarray] = field(repr=False)
    batch: Batch = field(repr=False)


@dataclass(frozen=True)
class Predictions:
    """The prediction for every example, and how good they are."""

    predictions: np.ndarray = field(repr=False)
    score: Score


class TrainingService(ABC):
    """One training session a process; `predict` needs none."""

    @abstractmethod
    def begin(self, request: TrainingRequest) -> TrainingStarted:
        """Build the program and take its first steps, which are taken back."""

    @abstractmethod
    def train_epoch(self, number: int) -> EpochResult:
        """One pass over the training set; epochs count from 1."""

    @abstractmethod
    def first_losses(self, request: FirstEpochRequest) -> tuple[float, ...]:
        """What the steps return, in float64, of a program of their own; the session stays."""

    @abstractmethod
    def evaluate(self, test: Batch) -> Score:
        """How well the program does on a batch by now."""

    @abstractmethod
    def weights(self) -> Mapping[str, np.ndarray]:
        """Parameters and running statistics by name."""

    @abstractmethod
    def predict(self, request: PredictRequest) -> Predictions:
        """What given weights predict, in the workload's batch size."""
