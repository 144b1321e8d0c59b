"""The first convolutional network that read handwriting for a living.
Source: LeCun et al. 1998, Proc. IEEE 86(11).
"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Workload
from pydantic import PositiveInt

from .images import Source, classifier

TINY = {"batch": 16}


def lenet5(
    image: PositiveInt = 32,
    classes: PositiveInt = 10,
    batch: PositiveInt = 64,
    data: Source = "digits",
) -> Workload:
    """LeNet-5 on digits: two 5x5 convolutions with average pools, tanh, three dense layers."""
    net = Builder("lenet5")
    x = net.input("image", (image, image, 1))
    for i, filters in enumerate((6, 16), start=1):
        x = net.tanh(
            net.conv2d(x, filters=filters, kernel=(5, 5), padding="valid", name=f"conv{i}")
        )
        x = net.avg_pool2d(x, window=(2, 2), name=f"pool{i}")
    x = net.flatten(x)
    for i, units in enumerate((120, 84), start=1):
        x = net.tanh(net.dense(x, units=units, name=f"fc{i}"))
    logits = net.dense(x, units=classes, name="logits")
    return classifier(
        net, logits, data, batch, Momentum(learning_rate=0.02, momentum=0.9), target=0.97
    )
