"""A class for every pixel.   Source: Ronneberger et al. 2015, arXiv 1505.04597."""

from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Digits, Synthetic
from dnnbench.spec.optimizers import Adam
from dnnbench.spec.workload import Task, Workload
from pydantic import PositiveFloat, PositiveInt

from .images import Source, scaled

TINY = {"image": 48, "width": 0.125, "depth": 2, "classes": 11, "batch": 16, "data": "digits"}


def unet(
    image: PositiveInt = 572,
    width: PositiveFloat = 1.0,
    depth: PositiveInt = 4,
    classes: PositiveInt = 2,
    batch: PositiveInt = 1,
    data: Source = "synthetic",
) -> Workload:
    """U-Net: valid convolutions down and up again, joined at every level;
    388x388 classes from 572x572 pixels.
    """
    net, size, skips = Builder("unet"), image, []
    x = net.input("image", (image, image, 1))
    for level in range(depth):
        x, size = _two_convs(net, x, f"down{level}", scaled(64 * 2**level, width), size)
        skips.append((x, size))
        x, size = net.max_pool2d(x, window=(2, 2)), size // 2
    x, size = _two_convs(net, x, "bottom", scaled(64 * 2**depth, width), size)
    for level, (skip, wide) in reversed(list(enumerate(skips))):
        filters = scaled(64 * 2**level, width)
        x, size = (
            net.conv_transpose2d(
                x, filters=filters, kernel=(2, 2), strides=(2, 2), name=f"grow{level}"
            ),
            2 * size,
        )
        x = net.concat(_cropped(net, skip, wide, size), x)
        x, size = _two_convs(net, x, f"up{level}", filters, size)
    model = net.build(net.conv2d(x, filters=classes, kernel=(1, 1), name="logits"))
    return Workload(
        name="unet", model=model, task=_task(data, image, size, batch), batch_size=batch
    )


def _task(data: Source, image: PositiveInt, size: int, batch: PositiveInt) -> Task:
    optimizer = Adam(learning_rate=3e-3)
    if data == "synthetic":
        return Task(optimizer=optimizer, data=Synthetic(examples=2 * batch))
    digits = Digits(size=size, margin=(image - size) // 2, target="pixels")
    return Task(optimizer=optimizer, data=digits, target=0.95)


def _two_convs(net: Builder, x: str, name: str, filters: int, size: int) -> tuple[str, int]:
    if size <= 4:
        raise ValueError(
            f"only {size} pixels reach '{name}', which takes 4; "
            "enlarge the image, or lower the depth"
        )
    for i in (1, 2):
        x = net.relu(
            net.conv2d(x, filters=filters, kernel=(3, 3), padding="valid", name=f"{name}.conv{i}")
        )
    return x, size - 4


def _cropped(net: Builder, x: str, size: int, wanted: int) -> str:
    """The middle of a square image."""
    start = (size - wanted) // 2
    for axis in (0, 1):
        x = net.slice(x, axis=axis, start=start, stop=start + wanted)
    return x
