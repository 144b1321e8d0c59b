"""The training session of this process, and predictions."""

from collections.abc import Mapping

import numpy as np

from ...host.clock import now
from ...protocol.batch import Batch
from ...protocol.program import trainable
from ...spec.phases import Phase
from ..score import Score
from ..services.training import (
    EpochResult,
    Predictions,
    PredictRequest,
    TrainingRequest,
    TrainingService,
    TrainingStarted,
)
from ..training import TrainingSession, predict
from .arm import ArmServer


class TrainingServer(TrainingService):
    """Holds the session that `begin` makes."""

    _session: TrainingSession

    def __init__(self, arm: ArmServer) -> None:
        self._arm = arm

    def begin(self, request: TrainingRequest) -> TrainingStarted:
        start = now()
        program = self._arm.build(
            request.workload, request.weights, request.seed, Phase.TRAIN_STEP, Phase.INFER
        )
        build_s = now() - start
        self._session = TrainingSession(
            trainable(program), request.workload, request.train, request.batch_size, request.seed
        )
        return TrainingStarted(build_s, self._session.warm_up())

    def train_epoch(self, number: int) -> EpochResult:
        return self._session.train_epoch(number)

    def evaluate(self, test: Batch) -> Score:
        return self._session.evaluate(test).score

    def weights(self) -> Mapping[str, np.ndarray]:
        return self._session.weights()

    def predict(self, request: PredictRequest) -> Predictions:
        workload, batch = request.workload, request.batch
        program = self._arm.build(workload, request.weights, 0, Phase.INFER)
        return predict(program, workload, batch, workload.batch_size)
