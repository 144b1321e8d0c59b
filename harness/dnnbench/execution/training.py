"""Train a workload to its target on every backend: the same data in the same order from the same weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..data.dataset import Dataset
from ..errors import WorkerError
from ..protocol.arm import Arm
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from ..worker.environment import default_memory
from ..worker.process import Worker
from ..worker.score import Score
from .pool import BUILD_TIMEOUT_S, spawn, start_arguments, worker_cpus
from .reporter import Reporter

EPOCH_TIMEOUT_S = 3600.0


@dataclass
class TrainingResult:
    """How one arm learned one workload; a row an epoch: epoch, loss, seconds, and what `judge` tells."""

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
            with spawn(arm, f"train-{arm.name}", default_memory(), cpus=cpus) as worker:
                _train_arm(worker, result, workload, dataset, arm, seed, report)
        except WorkerError as error:
            result.failure = str(error)
            report.note(f"{arm.name} {workload.name}: failed: {error}")
    return results


def _train_arm(
    worker: Worker, result: TrainingResult, workload: Workload, dataset: Dataset, arm: Arm, seed: int, report: Reporter
) -> None:
    key, test = workload.name, {"inputs": dict(dataset.x_test), "targets": dataset.y_test, "masks": {}}
    worker.call("start", BUILD_TIMEOUT_S, **start_arguments(arm))
    enrolled = worker.call(
        "enrol", BUILD_TIMEOUT_S, key=key, workload=workload.model_dump(mode="json"),
        weights=initial_weights(workload.model, seed),
        train={"inputs": dict(dataset.x_train), "targets": dataset.y_train, "masks": {}},
        batch_size=min(workload.batch_size, len(dataset.y_train)), seed=seed,
    )  # fmt: skip
    result.build_s, result.first_call_s = enrolled["build_s"], enrolled["first_call_s"]
    for number in range(1, workload.task.epochs + 1):
        told = worker.call("epoch", EPOCH_TIMEOUT_S, key=key, number=number)
        row = {"epoch": number, **told, **judge(Score(**worker.call("examine", EPOCH_TIMEOUT_S, key=key, test=test)))}
        result.epochs.append(row)
        report.advance(1, f"epoch {number}: loss {row['loss']:.4f}, {told_of(row)}")
        if not np.isfinite(row["loss"]):
            raise WorkerError(f"the loss is {row['loss']} after epoch {number}; lower the learning rate")
        if reached(workload, row):
            result.reached = True
            break
    result.weights = worker.call("learned", EPOCH_TIMEOUT_S, key=key)


def judge(score: Score) -> dict:
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


def told_of(row: Mapping) -> str:
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
) -> dict[str, tuple[np.ndarray, Score] | str]:
    """By arm: the prediction for every test example and how good they are, or why there are none."""
    found: dict[str, tuple[np.ndarray, Score] | str] = {}
    report.stage(f"predicting with {workload.name}", len(arms))
    for arm in arms:
        try:
            with spawn(arm, f"predict-{arm.name}") as worker:
                found[arm.name] = _predict(worker, arm, workload, dataset, weights)
        except WorkerError as error:
            found[arm.name] = str(error)
        report.advance(1, arm.name)
    return found


def _predict(worker: Worker, arm: Arm, workload: Workload, dataset: Dataset, weights) -> tuple[np.ndarray, Score]:
    worker.call("start", BUILD_TIMEOUT_S, **start_arguments(arm))
    test = {"inputs": dict(dataset.x_test), "targets": dataset.y_test, "masks": {}}
    found = worker.call(
        "predict", EPOCH_TIMEOUT_S, workload=workload.model_dump(mode="json"), weights=dict(weights), batch=test
    )
    return found["predictions"], Score(**found["score"])
