"""Very deep plain networks, form D.   Source: Simonyan & Zisserman 2014, arXiv 1409.1556."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Workload
from pydantic import PositiveFloat, PositiveInt

from .images import Source, classifier, conv, fewer, scaled

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Filters and convolutions of each stage; a max pool follows it."""
TINY = {"image": 32, "width": 0.125, "depth": 0.6, "classes": 10, "batch": 32, "data": "digits"}


def vgg16(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """VGG-16: thirteen 3x3 convolutions, three dense layers with dropout."""
    return _vgg(Builder("vgg16"), _plain, image, width, depth, classes, batch, data)


def vgg16_bn(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """VGG-16 with a batch norm behind every convolution."""
    return _vgg(Builder("vgg16_bn"), _normalised, image, width, depth, classes, batch, data)


def _plain(net: Builder, x: str, name: str, filters: int) -> str:
    return conv(net, x, name, filters, kernel=3)


def _normalised(net: Builder, x: str, name: str, filters: int) -> str:
    """Keeps the convolution's bias, though the norm takes it away again: torchvision counts it."""
    return net.batch_norm(conv(net, x, name, filters, kernel=3), name=f"{name}.norm")


def _vgg(net, layer, image, width, depth, classes, batch, data) -> Workload:
    x = net.input("image", (image, image, 3))
    for stage, (filters, count) in enumerate(STAGES, start=1):
        for i in range(1, fewer(count, depth) + 1):
            x = net.relu(layer(net, x, f"conv{stage}.{i}", scaled(filters, width)))
        x = net.max_pool2d(x, window=(2, 2), name=f"pool{stage}")
    x = net.flatten(net.adaptive_avg_pool2d(x, size=(7, 7)))
    for i in (1, 2):
        x = net.dropout(net.relu(net.dense(x, units=scaled(4096, width), name=f"fc{i}")), rate=0.5)
    logits = net.dense(x, units=classes, name="fc3")
    optimizer = Momentum(learning_rate=0.02, momentum=0.9, weight_decay=5e-4, clip_norm=1.0)
    return classifier(net, logits, data, batch, optimizer, target=0.96)
