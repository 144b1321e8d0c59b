"""Residual networks.   Source: He et al. 2015, arXiv 1512.03385.

Stride on the 3x3 (v1.5) as torchvision has it.
"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Workload
from pydantic import PositiveFloat, PositiveInt

from .images import Source, around, classifier, conv_norm, fewer, scaled

TINY = {"image": 48, "width": 0.125, "depth": 0.5, "classes": 10, "batch": 32, "data": "digits"}


def resnet18(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """ResNet-18: 8 residual blocks of two 3x3 convolutions."""
    net = Builder("resnet18")
    return _resnet(net, _basic, (2, 2, 2, 2), image, width, depth, classes, batch, data)


def resnet34(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """ResNet-34: 16 residual blocks of two 3x3 convolutions."""
    net = Builder("resnet34")
    return _resnet(net, _basic, (3, 4, 6, 3), image, width, depth, classes, batch, data)


def resnet50(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """ResNet-50 v1.5: 16 residual blocks of 1x1, 3x3 and 1x1 convolutions."""
    net = Builder("resnet50")
    return _resnet(net, _bottleneck, (3, 4, 6, 3), image, width, depth, classes, batch, data)


def _resnet(net, block, blocks, image, width, depth, classes, batch, data) -> Workload:
    x = net.input("image", (image, image, 3))
    x = net.relu(conv_norm(net, x, "conv1", scaled(64, width), kernel=7, stride=2))
    x = net.max_pool2d(x, window=(3, 3), strides=(2, 2), padding=around(1))
    for stage, count in enumerate(blocks, start=1):
        filters = scaled(32 * 2**stage, width)
        for i in range(fewer(count, depth)):
            stride = 2 if stage > 1 and i == 0 else 1
            x = block(net, x, f"layer{stage}.{i}", filters, stride, first=i == 0)
    logits = net.dense(net.global_avg_pool(x), units=classes, name="fc")
    optimizer = Momentum(learning_rate=0.05, momentum=0.9, weight_decay=1e-4)
    return classifier(net, logits, data, batch, optimizer, target=0.97)


def _basic(net, x, name, filters, stride, first) -> str:
    y = net.relu(conv_norm(net, x, f"{name}.conv1", filters, kernel=3, stride=stride))
    y = conv_norm(net, y, f"{name}.conv2", filters, kernel=3)
    if stride > 1:
        x = conv_norm(net, x, f"{name}.downsample", filters, kernel=1, stride=stride)
    return net.relu(net.add(y, x))


def _bottleneck(net, x, name, filters, stride, first) -> str:
    y = net.relu(conv_norm(net, x, f"{name}.conv1", filters, kernel=1))
    y = net.relu(conv_norm(net, y, f"{name}.conv2", filters, kernel=3, stride=stride))
    y = conv_norm(net, y, f"{name}.conv3", 4 * filters, kernel=1)
    if first:
        x = conv_norm(net, x, f"{name}.downsample", 4 * filters, kernel=1, stride=stride)
    return net.relu(net.add(y, x))
