"""Inverted residuals with linear bottlenecks.   Source: Sandler et al. 2018, arXiv 1801.04381."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Momentum
from dnnbench.spec.workload import Workload
from pydantic import PositiveFloat, PositiveInt

from .images import Source, classifier, conv_norm, fewer, scaled

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, filters, blocks and first stride of each stage."""
TINY = {"image": 48, "width": 0.25, "depth": 0.5, "classes": 10, "batch": 32, "data": "digits"}


def mobilenet_v2(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """MobileNet-V2: 17 inverted residuals around depthwise convolutions."""
    net = Builder("mobilenet_v2")
    x = net.input("image", (image, image, 3))
    channels = scaled(32, width)
    x = net.relu6(conv_norm(net, x, "stem", channels, kernel=3, stride=2))
    for stage, (expansion, filters, count, stride) in enumerate(STAGES, start=1):
        for i in range(fewer(count, depth)):
            name = f"stage{stage}.{i}"
            made, step = scaled(filters, width), stride if i == 0 else 1
            x = _inverted(net, x, name, channels, expansion, made, step)
            channels = made
    x = net.relu6(conv_norm(net, x, "head", scaled(1280, max(width, 1.0)), kernel=1))
    logits = net.dense(net.dropout(net.global_avg_pool(x), rate=0.2), units=classes, name="fc")
    optimizer = Momentum(learning_rate=0.05, momentum=0.9, weight_decay=4e-5)
    return classifier(net, logits, data, batch, optimizer, target=0.97)


def _inverted(net, x, name, channels, expansion, filters, stride) -> str:
    y, wide = x, expansion * channels
    if expansion > 1:
        y = net.relu6(conv_norm(net, y, f"{name}.expand", wide, kernel=1))
    y = net.relu6(
        conv_norm(net, y, f"{name}.depthwise", wide, kernel=3, stride=stride, groups=wide)
    )
    y = conv_norm(net, y, f"{name}.project", filters, kernel=1)
    return net.add(y, x) if stride == 1 and channels == filters else y
