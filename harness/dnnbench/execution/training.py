"""Train a workload to its target on every backend: the same data in the same order from the same weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..data.dataset import Dataset
from ..errors import WorkerError
from ..protocol.arm import Arm
from ..protocol.batch import Batch
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from ..worker.clients.base import BUILD_TIMEOUT_S
from ..worker.clients.training import TrainingClient
from ..worker.environment import default_memory
from ..worker.score import Score
from ..worker.services.training import Predictions, PredictRequest, TrainingRequest
from .pool import started, worker_cpus
from .reporter import Reporter

EPOCH_TIMEOUT_S = 3600.0


@dataclass
class TrainingResult:
    """How one arm learned one workload; a row an epoch: epoch, loss, seconds, and what `test_figures` tells."""

    arm: str
    workload: str
    dtype: str
    epochs: list[dict] = field(default_factory=list)
    reached: bool = False
    build_s: float = 0.0
    first_call_s: float = 0.0
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    failure: str = ""

    @property
    def seconds(self) -> float:
        """Of training steps alone, evaluation and data transfer off the clock."""
        return sum(row["seconds"] for row in self.epochs)


def train(workload: Workload, dataset: Dataset, arms: Sequence[Arm], seed: int, report: Reporter) -> list[TrainingResult]:
    """One arm after the other, so that each has the machine for itself."""
    results = []
    for arm in arms:
        result = TrainingResult(arm.name, workload.name, arm.dtype)
        results.append(result)
        report.stage(f"{workload.name} on {arm.name}", workload.task.epochs)
        try:
            cpus = worker_cpus(arm.threads)
            with started(arm, f"train-{arm.name}", default_memory(), cpus) as worker:
                client = TrainingClient(worker, EPOCH_TIMEOUT_S)
                _train_arm(client, result, workload, dataset, seed, report)
        except WorkerError as error:
            result.failure = str(error)
            report.note(f"{arm.name} {workload.name}: failed: {error}")
    return results


def _train_arm(
    client: TrainingClient, result: TrainingResult, workload: Workload, dataset: Dataset, seed: int, report: Reporter
) -> None:
    """Epochs until the target or the limit, each with its test figures."""
    batch_size = min(workload.batch_size, len(dataset.y_train))
    weights = initial_weights(workload.model, seed)
    started = client.within(BUILD_TIMEOUT_S).begin(
        TrainingRequest(workload, weights, Batch(dataset.x_train, dataset.y_train), batch_size, seed)
    )
    result.build_s, result.first_call_s = started.build_s, started.first_call_s
    for number in range(1, workload.task.epochs + 1):
        epoch, score = client.train_epoch(number), client.evaluate(_test_batch(dataset))
        row = {"epoch": number, "loss": epoch.loss, "seconds": epoch.seconds, **test_figures(score)}
        result.epochs.append(row)
        report.advance(1, f"epoch {number}: loss {epoch.loss:.4f}, {figures_in_words(row)}")
        if not np.isfinite(epoch.loss):
            raise WorkerError(f"the loss is {epoch.loss} after epoch {number}; lower the learning rate")
        if reached(workload, row):
            result.reached = True
            break
    result.weights = client.weights()


def _test_batch(dataset: Dataset) -> Batch:
    return Batch(dataset.x_test, dataset.y_test)


def test_figures(score: Score) -> dict:
    """Test figures of one state of the weights: `test_loss` over `n_test` answers that count, and how many are right.

    A regression has no `accuracy` (None) and nothing `wrong` (0).
    """
    return {
        "accuracy": score.accuracy,
        "wrong": score.wrong or 0,
        "n_test": score.counted,
        "test_loss": score.loss,
    }


def reached(workload: Workload, row: Mapping) -> bool:
    """Whether an epoch's test figure is at the target."""
    target = workload.task.target
    if target is None:
        return False
    return row["accuracy"] >= target if workload.task.metric == "accuracy" else row["test_loss"] <= target


def figures_in_words(row: Mapping) -> str:
    """An epoch's test figures in words."""
    accuracy = "" if row["accuracy"] is None else f"accuracy {row['accuracy']:.4f}, "
    return f"{accuracy}test loss {row['test_loss']:.4f}"


@dataclass(frozen=True)
class CurvesApart:
    """How far the curves of several arms lie apart where they lie furthest, over the `epochs` that all of them have.

    loss, test_loss: difference over the larger, infinite where any is not finite   wrong: test answers
    """

    epochs: int
    loss: float
    test_loss: float
    wrong: int


def curves_apart(results: Sequence[TrainingResult]) -> CurvesApart | None:
    """None for fewer than two arms that learned: there is nothing to compare."""
    curves = [result.epochs for result in results if result.epochs]
    if len(curves) < 2:
        return None
    epochs = list(zip(*curves, strict=False))
    return CurvesApart(
        len(epochs),
        loss=max(_relative_difference([row["loss"] for row in epoch]) for epoch in epochs),
        test_loss=max(_relative_difference([row["test_loss"] for row in epoch]) for epoch in epochs),
        wrong=max(int(np.ptp([row["wrong"] for row in epoch])) for epoch in epochs),
    )


def _relative_difference(values: Sequence[float]) -> float:
    """(largest - smallest) / largest magnitude; 0 where all are 0, infinite where any is not finite: NaN equals nothing."""
    if not np.all(np.isfinite(values)):
        return float("inf")
    magnitude = float(np.max(np.abs(values)))
    return float(np.ptp(values)) / magnitude if magnitude else 0.0


def predict(
    workload: Workload, dataset: Dataset, arms: Sequence[Arm], weights: Mapping[str, np.ndarray], report: Reporter
) -> dict[str, Predictions | str]:
    """By arm: the prediction for every test example and how good they are, or why there are none."""
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
