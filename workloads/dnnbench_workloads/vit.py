"""Vision transformers."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import AdamW
from dnnbench.spec.workload import Workload
from pydantic import PositiveInt

from .images import Source, classifier
from .transformer import Block

TINY = {
    "image": 24,
    "patch": 6,
    "classes": 10,
    "layers": 2,
    "width": 32,
    "heads": 4,
    "batch": 32,
    "data": "digits",
}


def vit_b_16(
    image: int = 224,
    patch: PositiveInt = 16,
    classes: int = 1000,
    layers: int = 12,
    width: int = 768,
    heads: int = 12,
    batch: int = 32,
    data: Source = "synthetic",
) -> Workload:
    """ViT-B/16: an image as a sequence of patches and a class token, 12 transformer layers.

    As torchvision's.   Source: Dosovitskiy et al. 2020, arXiv 2010.11929.
    """
    block = Block(width, heads, hidden=4 * width, epsilon=1e-6)
    patches = (image // patch) ** 2
    net = Builder("vit_b_16")
    x = net.input("image", (image, image, 3))
    x = net.conv2d(
        x,
        filters=width,
        kernel=(patch, patch),
        strides=(patch, patch),
        padding="valid",
        name="patches",
    )
    x = net.reshape(x, shape=(patches, width))
    x = net.concat(net.constant("class_token", (1, width)), x, axis=0)
    x = net.position_embedding(x, positions=patches + 1, name="positions")
    for layer in range(layers):
        x = block.pre_norm(net, x, f"layer{layer}")
    x = net.layer_norm(net.flatten(net.slice(x, stop=1)), epsilon=1e-6, name="norm")
    logits = net.dense(x, units=classes, name="logits")
    return classifier(
        net, logits, data, batch, AdamW(learning_rate=1e-3, weight_decay=0.05), target=0.85
    )
