"""Small networks on real 8x8 digits: seconds to train, and what a run without
a name measures.
"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Task, Workload
from pydantic import PositiveInt


def mlp_digits(batch: PositiveInt = 64) -> Workload:
    """MLP 64-128-64-10 on 8x8 digits."""
    net = Builder("mlp_digits")
    x = net.input("image", (64,))
    x = net.relu(net.dense(x, units=128, name="fc1"))
    x = net.relu(net.dense(x, units=64, name="fc2"))
    model = net.build(net.dense(x, units=10, name="logits"))
    task = Task(optimizer=Momentum(learning_rate=0.05, momentum=0.9), target=0.96)
    return Workload(name="mlp_digits", model=model, task=task, batch_size=batch)


def cnn_digits(batch: PositiveInt = 64) -> Workload:
    """CNN of two conv blocks on 8x8 digits."""
    net = Builder("cnn_digits")
    x = net.input("image", (8, 8, 1))
    for block, filters in enumerate((16, 32), start=1):
        x = net.relu(net.conv2d(x, filters=filters, kernel=(3, 3), name=f"conv{block}"))
        x = net.max_pool2d(x, window=(2, 2), name=f"pool{block}")
    x = net.relu(net.dense(net.flatten(x), units=64, name="fc1"))
    model = net.build(net.dense(x, units=10, name="logits"))
    task = Task(optimizer=Momentum(learning_rate=0.05, momentum=0.9), target=0.98)
    return Workload(name="cnn_digits", model=model, task=task, batch_size=batch)
