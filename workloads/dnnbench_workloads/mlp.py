"""Multilayer perceptrons."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Workload
from pydantic import PositiveInt

from .images import Source, classifier

TINY = {"image": 8, "hidden": 64, "batch": 32, "data": "digits"}


def mlp(
    image: PositiveInt = 28,
    hidden: PositiveInt = 512,
    layers: PositiveInt = 2,
    classes: PositiveInt = 10,
    batch: PositiveInt = 128,
    data: Source = "synthetic",
) -> Workload:
    """Multilayer perceptron 784-512-512-10."""
    net = Builder("mlp")
    x = net.flatten(net.input("image", (image, image, 1)))
    for i in range(1, layers + 1):
        x = net.relu(net.dense(x, units=hidden, name=f"fc{i}"))
    logits = net.dense(x, units=classes, name="logits")
    return classifier(
        net, logits, data, batch, Momentum(learning_rate=0.05, momentum=0.9), target=0.96
    )
