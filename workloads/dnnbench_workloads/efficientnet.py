"""Mobile networks found by search and scaled.   Source: Tan & Le 2019, arXiv 1905.11946."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import CrossEntropy
from dnnbench.spec.optimizers import Rmsprop
from dnnbench.spec.workload import Workload
from pydantic import PositiveFloat, PositiveInt

from .images import Source, classifier, conv_norm, fewer, scaled

STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""Expansion, kernel, first stride, filters and blocks of each stage."""
DROPPED = 0.2
"""Of the last block's residuals; the first block's none, and linear between."""
TINY = {"image": 48, "width": 0.25, "depth": 0.5, "classes": 10, "batch": 32, "data": "digits"}


def efficientnet_b0(
    image: PositiveInt = 224,
    width: PositiveFloat = 1.0,
    depth: PositiveFloat = 1.0,
    classes: PositiveInt = 1000,
    batch: PositiveInt = 32,
    data: Source = "synthetic",
) -> Workload:
    """EfficientNet-B0: 16 inverted residuals with squeeze and excitation, and stochastic depth."""
    net = Builder("efficientnet_b0")
    x = net.input("image", (image, image, 3))
    channels, done = scaled(32, width), 0
    x = net.silu(conv_norm(net, x, "stem", channels, kernel=3, stride=2))
    total = sum(fewer(count, depth) for *_, count in STAGES)
    for stage, (expansion, kernel, stride, filters, count) in enumerate(STAGES, start=1):
        for i in range(fewer(count, depth)):
            name = f"stage{stage}.{i}"
            made, step = scaled(filters, width), stride if i == 0 else 1
            y = _block(net, x, name, channels, expansion, kernel, step, made)
            x = net.add(net.stochastic_depth(y, rate=DROPPED * done / total), x) if i else y
            channels, done = made, done + 1
    x = net.silu(conv_norm(net, x, "head", 4 * channels, kernel=1))
    logits = net.dense(net.dropout(net.global_avg_pool(x), rate=0.2), units=classes, name="fc")
    optimizer = Rmsprop(learning_rate=3e-3, decay=0.9, epsilon=1e-3, weight_decay=1e-5)
    return classifier(net, logits, data, batch, optimizer, 0.97, CrossEntropy(smoothing=0.1))


def _block(net, x, name, channels, expansion, kernel, stride, filters) -> str:
    wide = expansion * channels
    if expansion > 1:
        x = net.silu(conv_norm(net, x, f"{name}.expand", wide, kernel=1))
    x = net.silu(conv_norm(net, x, f"{name}.depthwise", wide, kernel, stride, groups=wide))
    x = _squeeze_excite(net, x, f"{name}.squeeze", wide, max(1, channels // 4))
    return conv_norm(net, x, f"{name}.project", filters, kernel=1)


def _squeeze_excite(net: Builder, x: str, name: str, channels: int, squeezed: int) -> str:
    """Each channel times a gate in (0, 1) that is computed from the means of all channels."""
    gate = net.silu(net.dense(net.global_avg_pool(x), units=squeezed, name=f"{name}.fc1"))
    gate = net.sigmoid(net.dense(gate, units=channels, name=f"{name}.fc2"))
    return net.mul(x, net.reshape(gate, shape=(1, 1, channels)))
