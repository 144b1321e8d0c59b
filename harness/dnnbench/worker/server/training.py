"""The training session of this process, and predictions."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...errors import PluginError
from ...host.clock import now
from ...host.memory import give_back
from ...protocol.backend import capabilities_of
from ...protocol.batch import Batch
from ...protocol.dtypes import DType
from ...protocol.program import trainable
from ...spec.phases import Phase
from ..score import Score
from ..services.training import (
    EpochResult,
    FirstEpochRequest,
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

    def first_losses(self, request: FirstEpochRequest) -> tuple[float, ...]:
        training, backend = request.training, self._arm.backend
        arm = self._arm.arm.with_dtype(DType.FLOAT64)
        arm = replace(arm, mode=request.mode or arm.mode)
        missing = capabilities_of(backend, training.workload, arm).missing
        if reason := missing.get(Phase.TRAIN_STEP):
            raise PluginError(reason)
        program = trainable(backend.build(training.workload, training.weights, arm, training.seed))
        try:
            session = TrainingSession(
                program, training.workload, training.train, training.batch_size, training.seed
            )
            return session.first_losses(request.steps, request.turned)
        finally:
            program.close()
            give_back()

    def evaluate(self, test: Batch) -> Score:
        return self._session.evaluate(test).score

    def weights(self) -> Mapping[str, np.ndarray]:
        return self._session.weights()

    def predict(self, request: PredictRequest) -> Predictions:
        workload, batch = request.workload, request.batch
        program = self._arm.build(workload, request.weights, 0, Phase.INFER)
        return predict(program, workload, batch, workload.batch_size)
