"""A built Program that learns: epochs on the clock, evaluation off it. Runs inside a worker."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..agreement.keys import outputs_of
from ..data.masks import random_masks
from ..data.order import batches, epoch_order
from ..host.clock import now
from ..protocol.batch import Batch
from ..protocol.program import Program, Trainable
from ..spec.workload import Workload
from .score import counts, score, total
from .services.training import EpochResult, Predictions


class TrainingSession:
    """One program, one data set, one seed."""

    def __init__(
        self, program: Trainable, workload: Workload, train: Batch, batch_size: int, seed: int
    ) -> None:
        self._program, self._workload = program, workload
        self._train, self._size, self._seed = train, batch_size, seed

    def warm_up(self) -> float:
        """Seconds of the first step at each batch size, compiling included; changes nothing."""
        start, before = self._program.snapshot(), now()
        for rows in {len(rows): rows for rows in self._epoch(1)}.values():
            batch = self._program.put(self._batch(rows, 1, 0))
            self._program.wait(self._program.train_step(batch))
            self._program.wait(self._program.infer(batch))
        elapsed = now() - before
        self._program.restore(start)
        return elapsed

    def train_epoch(self, number: int) -> EpochResult:
        """One pass over the training set: mean loss over its labels that count,
        and the seconds of its steps alone.
        """
        seconds, losses, counted = 0.0, [], []
        for i, rows in enumerate(self._epoch(number)):
            host_batch = self._batch(rows, number, i)
            step_s, loss = self._step(host_batch)
            seconds += step_s
            losses.append(loss)
            counted.append(counts(self._workload.task.loss, host_batch.targets).sum())
        mean = float(np.average(losses, weights=counted))
        return EpochResult(mean, seconds, tuple(losses))

    def first_losses(self, steps: Sequence[int], turned: bool) -> tuple[float, ...]:
        """What steps on some batches of the first epoch return, one after the other.

        turned: whether the examples of each batch stand in the opposite order
        """
        epoch, losses = list(self._epoch(1)), []
        for i in steps:
            host_batch = self._batch(epoch[i], 1, i)
            if turned:
                host_batch = host_batch.rows(np.arange(host_batch.size)[::-1])
            losses.append(self._step(host_batch)[1])
        return tuple(losses)

    def _step(self, host_batch: Batch) -> tuple[float, float]:
        """(seconds of a step, the loss that it returned)"""
        batch = self._program.put(host_batch)
        start = now()
        result = self._program.train_step(batch)
        self._program.wait(result)
        step_s = now() - start
        return step_s, float(self._program.get({"loss": result["loss"]})["loss"])

    def evaluate(self, test: Batch) -> Predictions:
        """What the program predicts for each example, in batches of the training size,
        and how well.
        """
        return predict(self._program, self._workload, test, self._size)

    def weights(self) -> dict[str, np.ndarray]:
        """Parameters and running statistics by name."""
        return self._program.weights() | self._program.model_state()

    def _epoch(self, number: int) -> Iterator[np.ndarray]:
        return batches(epoch_order(self._train.size, self._seed, number), self._size)

    def _batch(self, rows: np.ndarray, epoch: int, index: int) -> Batch:
        batch = self._train.rows(rows)
        seed = self._seed + 1_000_003 * epoch + index
        return Batch(
            batch.inputs, batch.targets, random_masks(self._workload.model, len(rows), seed)
        )


def predict(program: Program, workload: Workload, test: Batch, batch_size: int) -> Predictions:
    """What a program predicts for each example, in batches of so many, and how well."""
    loss, first = workload.task.loss, workload.model.outputs[0]
    predictions, scores = [], []
    for rows in batches(np.arange(test.size), batch_size):
        examples = test.rows(rows)
        result = program.get(program.infer(program.put(examples)))
        predictions.append(result["prediction"])
        scores.append(
            score(loss, outputs_of(result)[first], result["prediction"], examples.targets)
        )
    return Predictions(np.concatenate(predictions), total(scores))
