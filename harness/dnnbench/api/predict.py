"""dnnbench.predict: what trained weights predict, on every backend."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from ..execution import spelling
from ..execution.reporter import Reporter
from ..execution.request import Request, make_plan
from ..execution.settings import Settings
from ..execution.training import Figures
from ..execution.training import predict as predict_arms
from ..execution.weights_file import load_weights
from ..plugins.catalog import workloads_of
from ..plugins.networks import Network
from ..report.outcomes.predict import ArmFigures, prediction_section
from ..report.section import Section
from ..spec.workload import Workload
from .options import (
    DEVICES,
    DTYPES,
    Texts,
    Threads,
    devices,
    element_types,
    networks,
    texts,
    thread_counts,
    whole,
)
from .progress import progress_reporter
from .showing import Shown

if TYPE_CHECKING:
    import pandas as pd

CLOSE = 1e-3
"""Two numbers that a regression predicts are the same within this share of their root mean square.
"""


@dataclass(frozen=True)
class ArmPredictions:
    """What one arm predicts for each test example, and how good that is; or why it does not."""

    arm: str
    figures: Figures | None = None
    predictions: np.ndarray | None = field(default=None, repr=False)
    failure: str = ""


@dataclass(frozen=True, repr=False)
class Predicted(Shown):
    """What every arm predicts with one set of weights."""

    workload: Workload
    weights: str
    results: tuple[ArmPredictions, ...]

    @property
    def differing(self) -> list[int]:
        """Test examples of which not all arms predict the same."""
        able = [one.predictions for one in self.results if one.predictions is not None]
        return differing_on(self.workload, able)

    @property
    def failed(self) -> bool:
        """Whether arms differ, or one could not predict."""
        return bool(self.differing) or any(one.failure for one in self.results)

    @property
    def arms(self) -> "pd.DataFrame":
        """A row an arm: figures on the test set, or why there are none."""
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.results])

    @property
    def predictions(self) -> dict[str, np.ndarray]:
        """By arm: a prediction for each test example."""
        return {one.arm: one.predictions for one in self.results if one.predictions is not None}

    def sections(self) -> Sequence[Section]:
        """Whether all predict the same, and how good each is."""
        figures = [ArmFigures(one.arm, one.figures, one.failure) for one in self.results]
        examples = max(map(len, self.predictions.values()), default=0)
        return [prediction_section(self.workload, figures, self.differing, examples)]


def _row(one: ArmPredictions) -> dict[str, object]:
    figures = one.figures
    return {
        "arm": one.arm,
        "failure": one.failure,
        "accuracy": figures.accuracy if figures else None,
        "wrong": figures.wrong if figures else None,
        "n_test": figures.n_test if figures else None,
        "test_loss": figures.test_loss if figures else None,
    }


def predict(
    workload: str | Network,
    *,
    weights: str | Path,
    backend: Texts = "all",
    device: Texts = DEVICES,
    dtype: Texts = DTYPES,
    threads: Threads = None,
    seed: int = Settings.seed,
    data: str | Path = "",
    progress: bool = True,
) -> Predicted:
    """Predict a workload's test set with trained weights, on every backend.

    weights: a file that `train(save=...)` wrote.  The options are those of `dnnbench predict
    --help`. Arms that differ or fail raise nothing: see `Predicted.failed`.  Raises UsageError, and
    DataError for weights of another network; Ctrl-C passes, for nothing is kept.
    """
    request = predict_request(
        workload,
        weights=weights,
        backend=backend,
        device=device,
        dtype=dtype,
        threads=threads,
        seed=seed,
        data=data,
    )
    with progress_reporter(progress) as report:
        return predicted(request, report)


def predict_request(
    workload: str | Network,
    *,
    weights: str | Path,
    backend: Texts,
    device: Texts,
    dtype: Texts,
    threads: Threads,
    seed: int,
    data: str | Path,
) -> Request:
    """The request that the options of `predict` make."""
    chosen = workloads_of(networks(workload))
    if len(chosen) != 1:
        raise UsageError(
            f"predict: got {len(chosen)} workloads, expected one; weights belong to one"
        )
    settings = Settings(
        phases=(),
        dtypes=element_types(dtype),
        threads=thread_counts(threads),
        devices=devices(device),
        seed=whole("seed", seed, 0, spelling.LARGEST_SEED),
    )
    arms = texts("backend", backend)
    return Request(chosen, arms, settings, data=str(data), weights=str(weights))


def predicted(request: Request, report: Reporter) -> Predicted:
    """Ask every arm of the plan."""
    [workload] = request.workloads
    arrays = load_weights(request.weights, workload)
    plan, datasets = make_plan(request, report)
    answers = predict_arms(workload, datasets[workload.name], plan.arms, arrays, report)
    results = [
        ArmPredictions(arm, failure=answer)
        if isinstance(answer, str)
        else ArmPredictions(arm, Figures.of(answer.score), answer.predictions)
        for arm, answer in answers.items()
    ]
    return Predicted(workload, request.weights, tuple(results))


def differing_on(workload: Workload, predictions: Sequence[np.ndarray]) -> list[int]:
    """Test examples of which not all arms predict the same.

    A regression's numbers may lie a little apart.
    """
    if len(predictions) < 2:
        return []
    first, *others = predictions
    numbers = workload.task.loss.prediction == "identity"
    near = CLOSE * np.sqrt(np.mean(np.square(first))) if numbers else 0
    apart = [~(np.abs(other - first) <= near) for other in others]
    by_example = [one.reshape(len(first), -1).any(axis=1) for one in apart]
    examples: list[int] = np.flatnonzero(np.any(by_example, axis=0)).tolist()
    return examples
