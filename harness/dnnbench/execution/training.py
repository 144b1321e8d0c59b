"""Train a workload to its target on every backend:
the same data in the same order from the same weights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..errors import WorkerError
from ..protocol.arm import Arm
from ..protocol.batch import Batch
from ..protocol.capabilities import Capabilities
from ..spec.phases import Phase
from ..spec.workload import Workload
from ..worker.clients.arm import ArmClient
from ..worker.clients.base import BUILD_TIMEOUT_S
from ..worker.clients.training import TrainingClient
from ..worker.environment import default_memory
from ..worker.score import Score
from ..worker.services.training import Predictions, PredictRequest
from .first_epoch import FirstEpoch, FirstEpochJudge, training_request
from .pool import started, worker_cpus
from .reporter import Reporter

EPOCH_TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Figures:
    """How one state of the weights does on the test set: over `n_test` answers that count,
    how many are right.

    A regression has no accuracy, and nothing wrong.
    """

    accuracy: float | None
    wrong: int
    n_test: int
    test_loss: float

    @classmethod
    def of(cls, score: Score) -> "Figures":
        """From a worker's score."""
        return cls(score.accuracy, score.wrong or 0, score.counted, score.loss)

    @property
    def sentence(self) -> str:
        """For a reader."""
        accuracy = "" if self.accuracy is None else f"accuracy {self.accuracy:.4f}, "
        return f"{accuracy}test loss {self.test_loss:.4f}"

    def reach(self, workload: Workload) -> bool:
        """Whether the figure that the workload is trained for is at its target."""
        target = workload.task.target
        if target is None:
            return False
        if workload.task.metric == "accuracy":
            return self.accuracy is not None and self.accuracy >= target
        return self.test_loss <= target


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set: mean loss, seconds of its steps alone,
    and how the weights do after it.
    """

    number: int
    loss: float
    seconds: float
    test: Figures

    def to_json(self) -> dict[str, Any]:
        """As `train --json` shows it and the store keeps it."""
        return {
            "epoch": self.number,
            "loss": self.loss,
            "seconds": self.seconds,
            **asdict(self.test),
        }


@dataclass
class TrainingResult:
    """How one arm learned one workload."""

    arm: str
    workload: str
    dtype: str
    epochs: list[Epoch] = field(default_factory=list)
    reached: bool = False
    build_s: float = 0.0
    first_call_s: float = 0.0
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    failure: str = ""
    unsupported: str = ""
    """Why the arm does not offer to train the workload."""
    first_losses: tuple[float, ...] = field(default=(), repr=False)
    """What the steps of the first epoch returned."""
    first_epoch: FirstEpoch | None = None
    """The same in float64, judged; None where that is much work."""

    @property
    def seconds(self) -> float:
        """Of training steps alone, evaluation and data transfer off the clock."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def differs(self) -> bool:
        """Whether the losses of the first epoch's steps are not the reference's."""
        return self.first_epoch is not None and not self.first_epoch.status.passes

    def refuse(self, offered: Capabilities) -> bool:
        """Whether a phase that training needs is missing; keeps the reason."""
        needed = (Phase.TRAIN_STEP, Phase.INFER)
        reasons = [offered.missing[phase] for phase in needed if phase in offered.missing]
        self.unsupported = "; ".join(dict.fromkeys(reasons))
        return bool(reasons)


def train(
    workload: Workload, dataset: Dataset, arms: Sequence[Arm], seed: int, report: Reporter
) -> list[TrainingResult]:
    """One arm after the other, so that each has the machine for itself."""
    results: list[TrainingResult] = []
    first_epoch = FirstEpochJudge(workload, dataset, seed)
    for arm in arms:
        result = TrainingResult(arm.name, workload.name, arm.dtype)
        results.append(result)
        report.stage(f"{workload.name} on {arm.name}", workload.task.epochs)
        try:
            # A worker an arm: what one framework leaves in memory and caches is not the next one's.
            cpus = worker_cpus(arm.threads)
            with started(arm, f"train-{arm.name}", default_memory(), cpus) as worker:
                offered = ArmClient(worker).capabilities(workload, arm.dtype)
                if result.refuse(offered):
                    report.note(f"{arm.name} {workload.name}: unsupported: {result.unsupported}")
                    continue
                client = TrainingClient(worker, EPOCH_TIMEOUT_S)
                _train_arm(client, result, workload, dataset, seed, report)
                result.first_epoch = first_epoch.judge(arm, worker)
        except WorkerError as error:
            result.failure = str(error)
            report.note(f"{arm.name} {workload.name}: failed: {error}")
    return results


def _train_arm(
    client: TrainingClient,
    result: TrainingResult,
    workload: Workload,
    dataset: Dataset,
    seed: int,
    report: Reporter,
) -> None:
    """Epochs until the target or the limit, each with its test figures."""
    request = training_request(workload, dataset, seed)
    started = client.within(BUILD_TIMEOUT_S).begin(request)
    result.build_s, result.first_call_s = started.build_s, started.first_call_s
    for number in range(1, workload.task.epochs + 1):
        trained = client.train_epoch(number)
        result.first_losses = result.first_losses or trained.losses
        test = Figures.of(client.evaluate(_test_batch(dataset)))
        epoch = Epoch(number, trained.loss, trained.seconds, test)
        result.epochs.append(epoch)
        report.advance(1, f"epoch {number}: loss {epoch.loss:.4f}, {test.sentence}")
        # No later epoch comes back from a loss that is not finite.
        if not np.isfinite(epoch.loss):
            raise WorkerError(
                f"the loss is {epoch.loss} after epoch {number}; lower the learning rate"
            )
        if test.reach(workload):
            result.reached = True
            break
    result.weights = client.weights()


def _test_batch(dataset: Dataset) -> Batch:
    return Batch(dataset.x_test, dataset.y_test)


@dataclass(frozen=True)
class CurvesApart:
    """How far the curves of several arms lie apart where they lie furthest,
    over the `epochs` that all of them have.

    loss, test_loss: difference over the larger, infinite where any is not finite
    wrong: test answers
    steps, step_loss: of the first epoch, and the same of the loss that a step returned;
    infinite where arms took other numbers of steps
    """

    epochs: int
    loss: float
    test_loss: float
    wrong: int
    steps: int = 0
    step_loss: float = 0.0


def curves_apart(results: Sequence[TrainingResult]) -> CurvesApart | None:
    """None for fewer than two arms that learned: there is nothing to compare."""
    learned = [result for result in results if result.epochs]
    if len(learned) < 2:
        return None
    epochs = list(zip(*(result.epochs for result in learned), strict=False))
    first = [result.first_losses for result in learned]
    return CurvesApart(
        len(epochs),
        loss=max(_apart(epoch, lambda one: one.loss) for epoch in epochs),
        test_loss=max(_apart(epoch, lambda one: one.test.test_loss) for epoch in epochs),
        wrong=max(map(_wrong_apart, epochs)),
        steps=min(map(len, first)),
        step_loss=_steps_apart(first),
    )


def _steps_apart(losses: Sequence[tuple[float, ...]]) -> float:
    if len(set(map(len, losses))) > 1:
        return float("inf")
    return max(map(_relative_difference, zip(*losses, strict=True)), default=0.0)


def _apart(epoch: Sequence[Epoch], figure: Callable[[Epoch], float]) -> float:
    return _relative_difference([figure(of_arm) for of_arm in epoch])


def _wrong_apart(epoch: Sequence[Epoch]) -> int:
    return int(np.ptp([of_arm.test.wrong for of_arm in epoch]))


def _relative_difference(values: Sequence[float]) -> float:
    """(largest - smallest) / largest magnitude.

    0 where all are 0, infinite where any is not finite: NaN equals nothing.
    """
    if not np.all(np.isfinite(values)):
        return float("inf")
    magnitude = float(np.max(np.abs(values)))
    return float(np.ptp(values)) / magnitude if magnitude else 0.0


def predict(
    workload: Workload,
    dataset: Dataset,
    arms: Sequence[Arm],
    weights: Mapping[str, np.ndarray],
    report: Reporter,
) -> dict[str, Predictions | str]:
    """By arm: the prediction for every test example and how good they are,
    or why there are none.
    """
    results: dict[str, Predictions | str] = {}
    request = PredictRequest(workload, weights, _test_batch(dataset))
    report.stage(f"predicting with {workload.name}", len(arms))
    for arm in arms:
        try:
            with started(arm, f"predict-{arm.name}") as worker:
                results[arm.name] = TrainingClient(worker, EPOCH_TIMEOUT_S).predict(request)
        except WorkerError as error:
            results[arm.name] = str(error)
        report.advance(1, arm.name)
    return results
