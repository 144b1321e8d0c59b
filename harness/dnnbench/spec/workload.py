"""A network together with what training it means."""

import hashlib
import json
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from .data import Data, Digits
from .losses import CrossEntropy, Loss
from .model import GraphError, Model
from .optimizers import Momentum, Optimizer
from .tensor import Spec, TensorType

WorkloadName = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*(\[[A-Za-z0-9_.,=+-]*\])?$", max_length=200)
]
"""A name, and what sets it apart from others of its builder: `resnet50[image=64,width=0.25]`."""


class Task(Spec):
    """Loss, optimizer, data, and when training is done: `metric` on the test set at `target`,
    or `epochs`.
    """

    loss: Loss = CrossEntropy()
    optimizer: Optimizer = Momentum()
    data: Data = Digits()
    metric: Literal["accuracy", "loss"] = "accuracy"
    target: float | None = None
    epochs: PositiveInt = 60


class Workload(Spec):
    """What `dnnbench run` takes by name, or from a TOML or JSON file."""

    name: WorkloadName
    description: str = ""
    model: Model
    task: Task = Task()
    batch_size: PositiveInt = Field(64, le=1_000_000)
    inference_only: bool = False
    """Only `infer` is timed: a network that is not trained in this form,
    such as one step of decoding.
    """

    @model_validator(mode="after")
    def _loss_fits(self) -> Self:
        output = self.model.types[self.model.outputs[0]]
        if self.task.loss.kind == "cross_entropy" and len(output.shape) < 1:
            raise GraphError(
                [(("task", "loss"), f"cross_entropy wants logits (N, ..., K), got {output}")]
            )
        if self.task.metric == "accuracy" and self.task.loss.prediction == "identity":
            text = (
                f"accuracy counts classes, but {self.task.loss.kind} predicts numbers; "
                "use metric = 'loss'"
            )
            raise GraphError([(("task", "metric"), text)])
        return self

    @property
    def target(self) -> TensorType:
        """Type of the labels or values that the loss compares with."""
        return self.task.loss.target(self.model.types[self.model.outputs[0]])

    @cached_property
    def spec_hash(self) -> str:
        """16 hex digits over model, loss and optimizer:
        what a measured cell is a measurement of.
        """
        task = {
            "loss": self.task.loss.model_dump(mode="json"),
            "optimizer": self.task.optimizer.model_dump(mode="json"),
        }
        text = self.model.spec_hash + json.dumps(task, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
