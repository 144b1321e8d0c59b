"""Multilayer perceptrons."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Task, Workload


def mlp_digits() -> Workload:
    """64-128-64-10 on scikit-learn's digits."""
    net = Builder("mlp_digits")
    x = net.input("image", (64,))
    x = net.relu(net.dense(x, units=128, name="fc1"))
    x = net.relu(net.dense(x, units=64, name="fc2"))
    model = net.build(net.dense(x, units=10, name="logits"))
    task = Task(optimizer=Momentum(learning_rate=0.05, momentum=0.9), target=0.96)
    return Workload(name="mlp_digits", description="MLP 64-128-64-10 on 8x8 digits", model=model, task=task)
