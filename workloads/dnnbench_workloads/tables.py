"""Perceptrons on small real tables."""

from typing import Literal

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Table
from dnnbench.spec.losses import BceWithLogits, CrossEntropy, Mse
from dnnbench.spec.optimizers import Adam
from dnnbench.spec.workload import Task, Workload

TINY = {"width": 32}
FEATURES = {"wine": 13, "breast_cancer": 30, "diabetes": 10}
CLASSES = {"wine": 3, "breast_cancer": 1, "diabetes": 1}


def mlp_table(
    table: Literal["wine", "breast_cancer", "diabetes"] = "wine",
    width: int = 64,
    layers: int = 2,
    batch: int = 32,
) -> Workload:
    """MLP of two hidden layers on a table: wine's classes, breast cancer yes or no,
    diabetes' progression.
    """
    net = Builder("mlp_table")
    x = net.input("features", (FEATURES[table],))
    for layer in range(layers):
        x = net.relu(net.dense(x, units=width, name=f"fc{layer}"))
    model = net.build(net.dense(x, units=CLASSES[table], name="output"))
    return Workload(name="mlp_table", model=model, task=_task(table), batch_size=batch)


def _task(table: str) -> Task:
    """Diabetes' target has variance 1, so that a loss of 0.6 explains 40 % of it."""
    common = {"optimizer": Adam(learning_rate=3e-3), "data": Table(name=table)}
    match table:
        case "wine":
            return Task(loss=CrossEntropy(), target=0.94, **common)
        case "breast_cancer":
            return Task(loss=BceWithLogits(), target=0.95, **common)
    return Task(loss=Mse(), metric="loss", target=0.6, **common)
