"""Whether arms that train take the steps that they should: the losses of the first epoch's steps
in float64, held against the reference's, whatever type is trained in.
"""

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from ..agreement.allowances import BUDGET
from ..agreement.losses import LossComparison, LossReference, compare_losses
from ..agreement.status import Status
from ..data.dataset import Dataset
from ..errors import PluginError, WorkerError
from ..plugins.discovery import source_digest
from ..protocol.arm import Arm
from ..protocol.batch import Batch
from ..protocol.dtypes import DType
from ..spec.costs import training_step
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from ..worker.clients.training import TrainingClient
from ..worker.process import Worker
from ..worker.services.training import FirstEpochRequest, TrainingRequest
from .backend_info import info_of
from .cache import cache_folder
from .checking import reference_backend
from .pool import started

TIMEOUT_S = 3600.0
ANOTHER_ORDER = "reversed"
"""Mode of the reference that adds one element after the other, from the last one on."""


@dataclass(frozen=True)
class FirstEpoch:
    """What one arm's losses came to.

    steps: of the first epoch, of so many; one more was taken after them
    last: examples of the epoch's last batch
    """

    comparison: LossComparison
    steps: int
    of: int
    last: int

    @property
    def status(self) -> Status:
        """One word for it."""
        return self.comparison.status

    def to_json(self) -> dict[str, Any]:
        """Plain data for a script."""
        places = {"steps": self.steps, "of": self.of, "last_batch": self.last}
        return asdict(self.comparison) | places


def training_request(workload: Workload, dataset: Dataset, seed: int) -> TrainingRequest:
    """Where every arm's training begins."""
    train = Batch(dataset.x_train, dataset.y_train)
    size = min(workload.batch_size, train.size)
    return TrainingRequest(workload, initial_weights(workload.model, seed), train, size, seed)


def steps_to_judge(workload: Workload, examples: int, batch_size: int) -> tuple[int, ...]:
    """Places of the first epoch's batches: all where their work is little, else the first ones
    and the last; then the first one again, whose loss shows what the last one left.

    None where three steps are too much.
    """
    count = -(-examples // batch_size)
    affordable = int(BUDGET.work_flops // training_step(workload, batch_size).flops) - 1
    if count <= affordable:
        return (*range(count), 0)
    return (*range(affordable - 1), count - 1, 0) if affordable >= 2 else ()


class FirstEpochJudge:
    """Judges the arms of one workload; the reference is made at the first one, and kept on disk."""

    def __init__(self, workload: Workload, dataset: Dataset, seed: int) -> None:
        self._training = training_request(workload, dataset, seed)
        train = self._training.train
        self._steps = steps_to_judge(workload, train.size, self._training.batch_size)

    def judge(self, arm: Arm, worker: Worker) -> FirstEpoch | None:
        """None where no step is judged, as even three are much work.

        worker: of the arm; another one is started where float64 is a switch of the whole process
        """
        if not self._steps:
            return None
        size, examples = self._training.batch_size, self._training.train.size
        last = examples % size or size
        return FirstEpoch(
            self._comparison(arm, worker), len(self._steps) - 1, -(-examples // size), last
        )

    def _comparison(self, arm: Arm, worker: Worker) -> LossComparison:
        try:
            reference = self._reference
            if info_of(arm).float64_apart and arm.dtype is not DType.FLOAT64:
                wide = arm.with_dtype(DType.FLOAT64)
                with started(wide, f"judge-{arm.name}") as other:
                    losses = self._losses(other)
            else:
                losses = self._losses(worker)
        except WorkerError as error:
            refused = error.kind == PluginError.__name__
            status = Status.UNSUPPORTED if refused else Status.COULD_NOT_RUN
            return LossComparison(status, float("nan"), 0, str(error))
        return compare_losses(reference, losses)

    def _losses(self, worker: Worker, mode: str = "", turned: bool = False) -> tuple[float, ...]:
        request = FirstEpochRequest(self._training, self._steps, mode, turned)
        return TrainingClient(worker, TIMEOUT_S).first_losses(request)

    @cached_property
    def _reference(self) -> LossReference:
        path = cache_folder() / "references" / f"{self._key()}.npz"
        if not path.exists():
            backend = reference_backend()
            arm = Arm(backend.name, backend.default_mode, dtype=DType.FLOAT64)
            with started(arm, "reference") as worker:
                plain = self._losses(worker)
                honest = self._losses(worker, ANOTHER_ORDER, turned=True)
            _write(path, plain, honest)
        with np.load(path, allow_pickle=False) as archive:
            return LossReference.of(archive["plain"], archive["honest"])

    def _key(self) -> str:
        """32 hex digits over what the reference's losses depend on."""
        training = self._training
        code = source_digest(
            reference_backend().target.partition(".")[0],
            "dnnbench.spec",
            "dnnbench.protocol",
            "dnnbench.data",
            "dnnbench.worker",
        )
        head = f"first epoch {training.workload.spec_hash} {training.seed} {self._steps} "
        head += f"{training.batch_size} {np.__version__} {code}"
        digest = hashlib.sha256(head.encode())
        arrays = sorted(training.train.inputs.items())
        for name, array in [*arrays, ("targets", training.train.targets)]:
            digest.update(f"{name}{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:32]


def _write(path: Path, plain: tuple[float, ...], honest: tuple[float, ...]) -> None:
    """A reader finds nothing or the whole of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".unfinished", delete=False) as unfinished:
        np.savez(unfinished, plain=plain, honest=honest)
    Path(unfinished.name).replace(path)
