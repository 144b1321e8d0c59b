"""AlexNet in the one-column form that torchvision has.
Source: Krizhevsky 2014, arXiv 1404.5997.
"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Workload
from pydantic import PositiveFloat, PositiveInt

from .images import Source, around, classifier, conv, scaled

TINY = {"image": 64, "width": 0.125, "classes": 10, "batch": 32, "data": "digits"}


def alexnet(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 128,
    data: Source = "synthetic",
) -> Workload:
    """AlexNet: five convolutions, three max pools, three dense layers with dropout."""
    net = Builder("alexnet")
    x = net.input("image", (image, image, 3))
    x = conv(net, x, "conv1", scaled(64, width), kernel=11, stride=4, padding=around(2))
    x = net.relu(x)
    x = net.max_pool2d(x, window=(3, 3), strides=(2, 2))
    x = net.relu(conv(net, x, "conv2", scaled(192, width), kernel=5))
    x = net.max_pool2d(x, window=(3, 3), strides=(2, 2))
    for i, filters in enumerate((384, 256, 256), start=3):
        x = net.relu(conv(net, x, f"conv{i}", scaled(filters, width), kernel=3))
    x = net.max_pool2d(x, window=(3, 3), strides=(2, 2))
    x = net.flatten(net.adaptive_avg_pool2d(x, size=(6, 6)))
    for i in (1, 2):
        x = net.dropout(x, rate=0.5)
        x = net.relu(net.dense(x, units=scaled(4096, width), name=f"fc{i}"))
    logits = net.dense(x, units=classes, name="fc3")
    optimizer = Momentum(learning_rate=0.02, momentum=0.9, weight_decay=5e-4, clip_norm=1.0)
    return classifier(net, logits, data, batch, optimizer, target=0.96)
