"""Networks whose layers read all layers before them.
Source: Huang et al. 2016, arXiv 1608.06993.
"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Workload
from pydantic import PositiveFloat, PositiveInt

from .images import Source, around, classifier, conv, conv_norm, fewer, scaled

BLOCKS = (6, 12, 24, 16)
TINY = {"image": 48, "width": 0.25, "depth": 0.1, "classes": 10, "batch": 32, "data": "digits"}


def densenet121(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """DenseNet-121: four blocks of layers that each add 32 channels to all before them."""
    net, growth, channels = Builder("densenet121"), scaled(32, width), scaled(64, width)
    x = net.input("image", (image, image, 3))
    x = net.relu(conv_norm(net, x, "stem", channels, kernel=7, stride=2))
    x = net.max_pool2d(x, window=(3, 3), strides=(2, 2), padding=around(1))
    for block, layers in enumerate(BLOCKS, start=1):
        if block > 1:
            channels //= 2
            x = net.avg_pool2d(
                _norm_conv(net, x, f"transition{block - 1}", channels, kernel=1), window=(2, 2)
            )
        for i in range(fewer(layers, depth)):
            y = _norm_conv(net, x, f"dense{block}.{i}.conv1", 4 * growth, kernel=1)
            x = net.concat(x, _norm_conv(net, y, f"dense{block}.{i}.conv2", growth, kernel=3))
            channels += growth
    x = net.global_avg_pool(net.relu(net.batch_norm(x, name="last.norm")))
    logits = net.dense(x, units=classes, name="fc")
    optimizer = Momentum(learning_rate=0.05, momentum=0.9, weight_decay=1e-4)
    return classifier(net, logits, data, batch, optimizer, target=0.97)


def _norm_conv(net: Builder, x: str, name: str, filters: int, kernel: int) -> str:
    x = net.relu(net.batch_norm(x, name=f"{name}.norm"))
    return conv(net, x, name, filters, kernel, bias=False)
