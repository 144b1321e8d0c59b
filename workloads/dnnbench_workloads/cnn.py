"""Small convolutional networks."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Task, Workload


def cnn_digits() -> Workload:
    """Two blocks of convolution and pool, two dense layers, on scikit-learn's digits."""
    net = Builder("cnn_digits")
    x = net.input("image", (8, 8, 1))
    for block, filters in enumerate((16, 32), start=1):
        x = net.relu(net.conv2d(x, filters=filters, kernel=(3, 3), name=f"conv{block}"))
        x = net.max_pool2d(x, window=(2, 2), name=f"pool{block}")
    x = net.relu(net.dense(net.flatten(x), units=64, name="fc1"))
    model = net.build(net.dense(x, units=10, name="logits"))
    task = Task(optimizer=Momentum(learning_rate=0.05, momentum=0.9), target=0.98)
    return Workload(name="cnn_digits", description="CNN of two conv blocks on 8x8 digits", model=model, task=task)
