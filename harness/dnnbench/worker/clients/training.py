"""Asks a worker to train."""

from collections.abc import Mapping

import numpy as np

from ...protocol.batch import Batch
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
from .base import Client


class TrainingClient(Client, TrainingService):
    """`TrainingService` of a worker."""

    def begin(self, request: TrainingRequest) -> TrainingStarted:
        return self.asker.ask(TrainingService.begin, self.timeout_s, request)

    def train_epoch(self, number: int) -> EpochResult:
        return self.asker.ask(TrainingService.train_epoch, self.timeout_s, number)

    def first_losses(self, request: FirstEpochRequest) -> tuple[float, ...]:
        return self.asker.ask(TrainingService.first_losses, self.timeout_s, request)

    def evaluate(self, test: Batch) -> Score:
        return self.asker.ask(TrainingService.evaluate, self.timeout_s, test)

    def weights(self) -> Mapping[str, np.ndarray]:
        return self.asker.ask(TrainingService.weights, self.timeout_s)

    def predict(self, request: PredictRequest) -> Predictions:
        return self.asker.ask(TrainingService.predict, self.timeout_s, request)
