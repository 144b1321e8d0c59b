"""Convolutions arranged as a transformer arranges attention.
Source: Liu et al. 2022, arXiv 2201.03545.
"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import CrossEntropy
from dnnbench.spec.optimizers import AdamW
from dnnbench.spec.tensor import Initializer
from dnnbench.spec.workload import Workload
from pydantic import PositiveFloat, PositiveInt

from .images import Source, around, classifier, conv, fewer, scaled

STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))
"""Channels and blocks of each stage."""
EPSILON = 1e-6
LAYER_SCALE = Initializer(kind="constant", value=1e-6)
DROPPED = 0.1
"""Of the last block's residuals; the first block's none, and linear between."""
TINY = {"image": 32, "width": 0.125, "depth": 0.2, "classes": 10, "batch": 32, "data": "digits"}


def convnext_tiny(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """ConvNeXt-T: 18 blocks of a depthwise 7x7 and two 1x1 convolutions, layer norm,
    layer scale.
    """
    net = Builder("convnext_tiny")
    x = net.input("image", (image, image, 3))
    total, done = sum(fewer(count, depth) for _, count in STAGES), 0
    for stage, (channels, count) in enumerate(STAGES, start=1):
        x = _shrink(net, x, f"down{stage}", scaled(channels, width), first=stage == 1)
        for i in range(fewer(count, depth)):
            y = _block(net, x, f"stage{stage}.{i}", scaled(channels, width))
            y = net.stochastic_depth(y, rate=DROPPED * done / (total - 1)) if done else y
            x = net.add(y, x)
            done += 1
    x = net.layer_norm(net.global_avg_pool(x), epsilon=EPSILON, name="last.norm")
    logits = net.dense(x, units=classes, name="fc")
    optimizer = AdamW(learning_rate=3e-3, weight_decay=0.05)
    return classifier(net, logits, data, batch, optimizer, 0.93, CrossEntropy(smoothing=0.1))


def _shrink(net: Builder, x: str, name: str, channels: int, first: bool) -> str:
    """Patches of 4x4 made into channels at the start, of 2x2 between stages.

    A norm behind the one, before the others.
    """
    if first:
        x = conv(net, x, name, channels, kernel=4, stride=4, padding=around(0))
        return net.layer_norm(x, epsilon=EPSILON, name=f"{name}.norm")
    x = net.layer_norm(x, epsilon=EPSILON, name=f"{name}.norm")
    return conv(net, x, name, channels, kernel=2, stride=2, padding=around(0))


def _block(net: Builder, x: str, name: str, channels: int) -> str:
    x = conv(net, x, f"{name}.depthwise", channels, kernel=7, groups=channels)
    x = net.layer_norm(x, epsilon=EPSILON, name=f"{name}.norm")
    x = net.gelu(conv(net, x, f"{name}.expand", 4 * channels, kernel=1))
    x = conv(net, x, f"{name}.project", channels, kernel=1)
    return net.mul(x, net.constant(f"{name}.scale", (channels,), LAYER_SCALE))
